// Sign-in, second step: the code out of the mail.
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { t } from '../i18n'
import { paths } from '../paths'
import { awaitCode, type Pending, pending } from '../pending'
import { address, go } from '../router'
import type { Problem } from '../send'
import { api, entered } from '../session'
import { countdown, useNow } from '../time'
import { Button } from '../ui/button'
import { CodeForm } from '../ui/code-form'
import { Entrance } from '../ui/entrance'
import { Title } from '../ui/page'
import { toast } from '../ui/toast'
import { problemWords } from '../words'

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

export const CodePage = () => {
  const waiting = pending.value
  const spent = useSignal('')
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
      <CodeForm
        key={waiting.challengeId}
        challengeId={waiting.challengeId}
        action={t('code.submit')}
        accepted={() => void entered()}
        spent={() => {
          spent.value = waiting.challengeId
        }}
      />
      <div class="actions spread">
        {spent.value !== waiting.challengeId && <Resend waiting={waiting} />}
        <a class="button quiet" href={signInAddress()}>
          {t(spent.value === waiting.challengeId ? 'code.start_over' : 'code.other_address')}
        </a>
      </div>
      <p class="hint">{t('code.not_there')}</p>
    </Entrance>
  )
}
