// Asks before what cannot be undone, naming the thing. The browser's own dialog: focus stays inside, Escape leaves.
import { useSignal } from '@preact/signals'
import { useEffect, useId, useRef } from 'preact/hooks'
import type { Answer } from '../api'
import { t } from '../i18n'
import { problemWords } from '../words'
import { Button } from './button'

export type Question = {
  title: string
  body: string
  action: string
  /** Does it. A problem stays in the dialog; an answer closes it. */
  run: () => Promise<Answer<unknown>>
}

export const Confirm = ({ question, close }: { question: Question; close: () => void }) => {
  const [id, dialog] = [useId(), useRef<HTMLDialogElement>(null)]
  const busy = useSignal(false)
  const error = useSignal('')

  useEffect(() => {
    error.value = ''
    dialog.current?.showModal()
  }, [question])

  // Not by its close event, which comes a moment later and would take away what is asked next.
  const leave = () => {
    dialog.current?.close()
    close()
  }

  const run = async () => {
    busy.value = true
    const answer = await question.run()
    busy.value = false
    if (answer.ok) leave()
    else error.value = problemWords(answer.problem)
  }

  return (
    <dialog
      ref={dialog}
      class="dialog"
      aria-labelledby={`${id}-title`}
      aria-describedby={`${id}-body`}
      onCancel={(event) => {
        event.preventDefault()
        leave()
      }}
    >
      <h2 id={`${id}-title`}>{question.title}</h2>
      <p id={`${id}-body`}>{question.body}</p>
      <p class="error" role="alert">
        {error.value}
      </p>
      <div class="actions">
        <Button onClick={leave}>{t('action.cancel')}</Button>
        <Button kind="danger" busy={busy.value} onClick={() => void run()}>
          {question.action}
        </Button>
      </div>
    </dialog>
  )
}
