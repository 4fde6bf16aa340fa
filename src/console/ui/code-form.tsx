// The code out of a mail: paste splits it, and it is sent as soon as it is whole.
import { useSignal } from '@preact/signals'
import { caretAfter, formatCode, isComplete } from '../code'
import { t } from '../i18n'
import type { Problem } from '../send'
import { api } from '../session'
import { problemWords } from '../words'
import { Button } from './button'
import { useEntry } from './entry'
import { Field } from './field'
import { Working } from './working'

const words = (problem: Problem) => (problem.code === 'invalid_or_expired' ? t('code.wrong') : problemWords(problem))

/** `spent`: told once that no code is taken here any more. */
type Props = { challengeId: string; action: string; accepted: () => void; cancel?: () => void; spent?: () => void }

export const CodeForm = ({ challengeId, action, accepted, cancel, spent }: Props) => {
  const { field, busy, working, error, refuse, send } = useEntry()
  const isSpent = useSignal(false)

  const submit = async () => {
    const code = field.current!.value
    if (busy.peek()) return
    if (!isComplete(code)) return refuse(() => t('code.incomplete'))
    // The server would say of the right code too that it is wrong.
    if (isSpent.peek()) return refuse(() => t('error.start_again'))
    const answer = await send((human) => api.verify(challengeId, code, human))
    if (answer.ok) return accepted()
    if (answer.problem.code === 'start_again') {
      isSpent.value = true
      spent?.()
    }
    refuse(() => words(answer.problem))
  }

  const tidy = (input: HTMLInputElement) => {
    error.value = null
    const caret = caretAfter(input.value.slice(0, input.selectionStart ?? undefined))
    const code = formatCode(input.value)
    if (code !== input.value) {
      input.value = code
      input.setSelectionRange(caret, caret)
    }
    if (isComplete(code)) void submit()
  }

  return (
    <form
      noValidate
      class="form"
      onSubmit={(event) => {
        event.preventDefault()
        void submit()
      }}
    >
      <Field
        label={t('code.label')}
        error={error.value?.()}
        field={field}
        class="code"
        name="code"
        autocomplete="one-time-code"
        autocapitalize="characters"
        spellcheck={false}
        placeholder="XXXX-XXXX"
        onInput={(event) => tidy(event.currentTarget)}
      />
      <Working part={working.value} />
      <div class={cancel ? 'actions' : 'whole'}>
        {cancel && <Button onClick={cancel}>{t('action.cancel')}</Button>}
        <Button kind="main" type="submit" busy={busy.value}>
          {action}
        </Button>
      </div>
    </form>
  )
}
