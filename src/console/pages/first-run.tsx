// An empty workspace explains its next three steps, and says which are done.
import { t } from '../i18n'
import { paths } from '../paths'
import { useResource } from '../resource'
import { api } from '../session'
import { Button } from '../ui/button'
import { Icon } from '../ui/icons'
import { Section } from '../ui/page'
import { newKey } from './key-dialogs'

type StepProps = {
  at: number
  isDone: boolean
  title: string
  body: string
  action: string
  to?: string
  act?: () => void
}

const Step = ({ at, isDone, title, body, action, to, act }: StepProps) => (
  <li class={isDone ? 'step done' : 'step'}>
    <span class="step-mark" aria-hidden="true">
      {isDone ? <Icon name="check" /> : at}
    </span>
    <div>
      <p class="row-title">
        {title}
        {isDone && <span class="badge">{t('first.done')}</span>}
      </p>
      <p class="hint">{body}</p>
      {!isDone && to && (
        <a class="button" href={to}>
          {action}
        </a>
      )}
      {!isDone && act && <Button onClick={act}>{action}</Button>}
    </div>
  </li>
)

export const FirstRun = () => {
  const [keys, media, members] = [
    useResource(api.keys),
    useResource(() => api.media(undefined)),
    useResource(api.members),
  ]
  const invitations = useResource(api.invitations)
  const states = [keys.state.value, media.state.value, members.state.value, invitations.state.value]
  if (states.some((state) => state.is !== 'ready')) return null
  const [made, kept, people, asked] = states.map((state) => (state.is === 'ready' ? state.data.data.length : 0))
  const done = [made! > 0, kept! > 0, people! > 1 || asked! > 0] as const
  if (done.every(Boolean)) return null
  const makeKey = () => newKey(keys)
  return (
    <Section title={t('first.title')} lead={t('first.lead')}>
      <ol class="steps">
        <Step
          {...{ at: 1, isDone: done[0], act: makeKey }}
          {...{ title: t('first.key'), body: t('first.key_body'), action: t('keys.create') }}
        />
        <Step
          {...{ at: 2, isDone: done[1], to: paths.media }}
          {...{ title: t('first.media'), body: t('first.media_body'), action: t('media.upload') }}
        />
        <Step
          {...{ at: 3, isDone: done[2], to: paths.members }}
          {...{ title: t('first.people'), body: t('first.people_body'), action: t('members.invite') }}
        />
      </ol>
    </Section>
  )
}
