// A form in a dialog or on a page: what is missing or not accepted is said beside its field, everything else below.
import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { t } from '../i18n'
import type { Answer, Problem } from '../send'
import { problemWords } from '../words'
import { Button } from './button'
import { closeDialog } from './dialog'

/** What is wrong with the field of that name, in `words` or in general ones. */
type Wrong = (name: string, words?: string) => string | undefined

type Props<T> = {
  action: string
  send: (form: FormData) => Promise<Answer<T>>
  done: (data: T) => void
  /** Words for a problem that mean more here, as `[field or '', words]`. */
  explain?: (problem: Problem) => [field: string, words: string] | undefined
  isDialog?: boolean
  children: (wrong: Wrong) => ComponentChildren
}

const isEmpty = (input: HTMLInputElement) => input.value.trim() === ''

export const Form = <T,>({ action, send, done, explain, isDialog = true, children }: Props<T>) => {
  const form = useRef<HTMLFormElement>(null)
  const busy = useSignal(false)
  const missing = useSignal<readonly string[]>([])
  const changed = useSignal<readonly string[]>([])
  const problem = useSignal<Problem | null>(null)
  const [about, explained] = (problem.value && explain?.(problem.value)) || ['', undefined]

  useEffect(() => {
    form.current?.querySelector<HTMLElement>('[aria-invalid]')?.focus()
  }, [missing.value, problem.value])

  const claimed = useRef(false)
  claimed.current = false
  const wrong: Wrong = (name, words) => {
    const isStale = changed.value.includes(name)
    if (missing.value.includes(name)) return isStale ? undefined : t('form.missing')
    const isHere =
      about === name && about !== '' ? true : problem.value?.fields?.some((path) => path.split('.')[0] === name)
    if (!isHere) return undefined
    claimed.current = true
    if (isStale) return undefined
    return about === name ? explained : (words ?? t('form.not_accepted'))
  }

  const submit = async () => {
    if (busy.peek()) return
    const required = [...form.current!.querySelectorAll<HTMLInputElement>('input[required]')]
    problem.value = null
    changed.value = []
    missing.value = required.filter(isEmpty).map(({ name }) => name)
    if (missing.value.length > 0) return
    busy.value = true
    const answer = await send(new FormData(form.current!))
    busy.value = false
    if (answer.ok) done(answer.data)
    else {
      // Also what was typed meanwhile does not hide the answer.
      changed.value = []
      problem.value = answer.problem
    }
  }

  const fields = children(wrong)
  return (
    <form
      ref={form}
      noValidate
      class="form"
      onInput={({ target }) => {
        // What was said of a field is not about what stands in it now.
        const { name } = target as HTMLInputElement
        if (!changed.peek().includes(name)) changed.value = [...changed.peek(), name]
      }}
      onSubmit={(event) => {
        event.preventDefault()
        void submit()
      }}
    >
      {fields}
      <p class="error" role="alert">
        {problem.value && !claimed.current ? (explained ?? problemWords(problem.value)) : ''}
      </p>
      <div class="actions">
        {isDialog && <Button onClick={closeDialog}>{t('action.cancel')}</Button>}
        <Button kind="main" type="submit" busy={busy.value}>
          {action}
        </Button>
      </div>
    </form>
  )
}

/** A field's text, trimmed. */
export const textOf = (form: FormData, name: string): string => String(form.get(name) ?? '').trim()
