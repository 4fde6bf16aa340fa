// Sign-in, second step: the code out of the mail.
import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import type { Problem } from '../api'
import { caretAfter, formatCode, isComplete } from '../code'
import { t } from '../i18n'
import { paths } from '../paths'
import { awaitCode, type Pending, pending } from '../pending'
import { address, go } from '../router'
import { api, entered } from '../session'
import { countdown, useNow } from '../time'
import { Button } from '../ui/button'
import { Entrance } from '../ui/entrance'
import { Field } from '../ui/field'
import { Title } from '../ui/page'
import { toast } from '../ui/toast'
import { problemWords } from '../words'

const words = (problem: Problem) => {
  if (problem.code === 'invalid_or_expired') return t('code.wrong')
  return problemWords(problem)
}

const resendWords = (problem: Problem) =>
  problem.code === 'invalid_or_expired' ? t('code.no_more') : problemWords(problem)

const signInAddress = () => address.peek().replace(paths.code, paths.signIn)

const Resend = ({ waiting }: { waiting: Pending }) => {
  const busy = useSignal(false)
  const left = Math.ceil((waiting.resendAt - useNow(1000)) / 1000)
  const resend = async () => {
    busy.value = true
    const answer = await api.resend(waiting.challengeId)
    busy.value = false
    if (answer.ok) awaitCode(waiting.email, answer.data)
    toast(answer.ok ? t('code.resent') : resendWords(answer.problem))
  }
  return (
    <Button kind="quiet" busy={busy.value} disabled={left > 0} onClick={() => void resend()}>
      {left > 0 ? t('code.resend_in', { time: countdown(left) }) : t('code.resend')}
    </Button>
  )
}

const CodeForm = ({ waiting }: { waiting: Pending }) => {
  const field = useRef<HTMLInputElement>(null)
  const busy = useSignal(false)
  const error = useSignal<(() => string) | null>(null)

  useEffect(() => field.current?.focus(), [])

  const refuse = (why: () => string) => {
    error.value = why
    field.current?.focus()
    field.current?.select()
  }

  const submit = async () => {
    const code = field.current!.value
    if (busy.peek()) return
    if (!isComplete(code)) return refuse(() => t('code.incomplete'))
    busy.value = true
    const answer = await api.verify(waiting.challengeId, code)
    busy.value = false
    if (answer.ok) return entered()
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
      <Button kind="main" type="submit" busy={busy.value}>
        {t('code.submit')}
      </Button>
    </form>
  )
}

export const CodePage = () => {
  const waiting = pending.value
  useEffect(() => {
    if (!waiting) go(signInAddress(), { replace: true })
  }, [waiting])
  if (!waiting) return null
  return (
    <Entrance>
      <Title focus={false}>{t('code.title')}</Title>
      <p class="lead">
        {t('code.sent')} <strong>{waiting.email}</strong>
        <br />
        {t('code.either')}
      </p>
      <CodeForm key={waiting.challengeId} waiting={waiting} />
      <div class="actions spread">
        <Resend waiting={waiting} />
        <a class="button quiet" href={signInAddress()}>
          {t('code.other_address')}
        </a>
      </div>
      <p class="hint">{t('code.not_there')}</p>
    </Entrance>
  )
}
