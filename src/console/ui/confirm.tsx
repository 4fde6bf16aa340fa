// Asks before what cannot be undone, naming the thing.
import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useRef } from 'preact/hooks'
import { t } from '../i18n'
import type { Answer } from '../send'
import { problemWords } from '../words'
import { Button } from './button'
import { closeDialog, Dialog, showDialog } from './dialog'
import { Field } from './field'

export type Question = {
  title: string
  body: string
  action: string
  /** What has to be typed first, where a slip would be grave. */
  typed?: string
  /** Whether what was typed is the same; by default letter by letter. */
  isSame?: (text: string) => boolean
  extra?: ComponentChildren
  /** What a `conflict` means here. */
  conflict?: string
  /** Does it. A problem stays in the dialog; an answer closes it, and then `done` is called. */
  run: () => Promise<Answer<unknown>>
  done?: () => void
}

const Confirm = ({
  title,
  body,
  action,
  typed,
  isSame = (text) => text === typed,
  extra,
  conflict,
  run,
  done,
}: Question) => {
  const field = useRef<HTMLInputElement>(null)
  const busy = useSignal(false)
  const error = useSignal('')
  const isUntyped = useSignal(false)

  const submit = async () => {
    isUntyped.value = typed !== undefined && !isSame(field.current!.value.trim())
    if (isUntyped.value) return field.current?.focus()
    busy.value = true
    const answer = await run()
    busy.value = false
    if (!answer.ok) {
      error.value = (answer.problem.code === 'conflict' && conflict) || problemWords(answer.problem)
      return
    }
    closeDialog()
    done?.()
  }

  return (
    <Dialog title={title} lead={body}>
      {extra}
      {typed !== undefined && (
        <Field
          label={t('confirm.type', { name: typed })}
          field={field}
          autocomplete="off"
          spellcheck={false}
          onInput={() => {
            isUntyped.value = false
          }}
          error={isUntyped.value ? t('confirm.type_wrong') : undefined}
        />
      )}
      <p class="error" role="alert">
        {error.value}
      </p>
      <div class="actions">
        <Button onClick={closeDialog}>{t('action.cancel')}</Button>
        <Button kind="danger" busy={busy.value} onClick={() => void submit()}>
          {action}
        </Button>
      </div>
    </Dialog>
  )
}

export const ask = (question: Question): void => showDialog(<Confirm {...question} />)
