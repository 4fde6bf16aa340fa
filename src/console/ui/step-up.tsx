// Asks in place for a fresh code when a route wants one; the action behind it then goes on by itself.
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { t } from '../i18n'
import type { Problem } from '../send'
import { api, who } from '../session'
import { confirmed, waiting } from '../step-up'
import { problemWords } from '../words'
import { Button } from './button'
import { CodeForm } from './code-form'
import { Dialog } from './dialog'
import { Loading } from './states'

const leave = () => confirmed(false)

const Question = () => {
  const challenge = useSignal<string | null>(null)
  const problem = useSignal<Problem | null>(null)
  useEffect(() => {
    void api.stepUp().then((answer) => {
      if (answer.ok) challenge.value = answer.data.challenge_id
      else problem.value = answer.problem
    })
  }, [])
  const email = who.value.is === 'user' ? who.value.me.email : ''
  return (
    <Dialog title={t('step_up.title')} lead={t('step_up.lead', { email })} leave={leave}>
      {problem.value && (
        <>
          <p class="error" role="alert">
            {problemWords(problem.value)}
          </p>
          <div class="actions">
            <Button onClick={leave}>{t('action.cancel')}</Button>
          </div>
        </>
      )}
      {!challenge.value && !problem.value && <Loading rows={1} />}
      {challenge.value && (
        <CodeForm
          challengeId={challenge.value}
          action={t('step_up.confirm')}
          accepted={() => confirmed(true)}
          cancel={leave}
        />
      )}
    </Dialog>
  )
}

export const StepUp = () => (waiting.value ? <Question /> : null)
