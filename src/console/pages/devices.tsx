// The devices that are signed in, and signing them out: one, all others, or all.
import { useSignal } from '@preact/signals'
import { useRef } from 'preact/hooks'
import type { Session } from '../api'
import { t } from '../i18n'
import { useResource } from '../resource'
import { api, left } from '../session'
import { Button } from '../ui/button'
import { Confirm, type Question } from '../ui/confirm'
import { Icon, type IconName } from '../ui/icons'
import { signOut } from '../ui/shell'
import { Load } from '../ui/states'
import { Ago } from '../ui/time'
import { toast } from '../ui/toast'

const iconOf = (label: string): IconName => {
  if (/iPhone|Android/.test(label)) return 'phone'
  return / on /.test(label) ? 'screen' : 'program'
}

const Device = ({ session, end }: { session: Session; end: () => void }) => (
  <li class="row">
    <Icon name={iconOf(session.label)} />
    <div class="row-body">
      <p class="row-title">
        {session.label}
        {session.current && <span class="badge">{t('devices.current')}</span>}
      </p>
      <p class="facts">
        <span>
          {session.current ? (
            t('devices.active_now')
          ) : (
            <>
              {t('devices.last_seen')} <Ago at={session.last_seen_at} />
            </>
          )}
        </span>
        <span>
          {t('devices.signed_in')} <Ago at={session.created_at} />{' '}
          {session.method === 'code' ? t('devices.by_code') : t('devices.by_link')}
        </span>
        {session.place && <span>{t('devices.from', { place: session.place })}</span>}
      </p>
    </div>
    <Button onClick={end} aria-label={t('devices.sign_out_named', { device: session.label })}>
      {t('devices.sign_out')}
    </Button>
  </li>
)

export const Devices = () => {
  const sessions = useResource(api.sessions)
  const question = useSignal<Question | null>(null)
  const list = useRef<HTMLUListElement>(null)

  const ask = (title: string, body: string, action: string, run: Question['run']) => {
    question.value = { title, body, action, run }
  }
  // The button that was pressed goes with its row: the focus stays near and is not lost.
  const done = (words: string) => {
    toast(words)
    void sessions.reload().then(() => list.current?.focus())
  }

  const askOne = ({ id, label: device }: Session) =>
    ask(t('devices.ask_one', { device }), t('devices.ask_one_body'), t('devices.sign_out'), async () => {
      const answer = await api.endSession(id)
      if (answer.ok) done(t('devices.done_one', { device }))
      return answer
    })
  const askOthers = () =>
    ask(t('devices.ask_others'), t('devices.ask_others_body'), t('devices.sign_out_others'), async () => {
      const answer = await api.endSessions('others')
      if (answer.ok) done(t('devices.done_others'))
      return answer
    })
  const askAll = () =>
    ask(t('devices.ask_all'), t('devices.ask_all_body'), t('devices.sign_out_all'), async () => {
      const answer = await api.endSessions('all')
      if (answer.ok) left()
      return answer
    })

  return (
    <Load from={sessions}>
      {({ data }) => (
        <>
          <ul class="rows" ref={list} tabIndex={-1} aria-label={t('devices.title')}>
            {data.map((session) => (
              <Device
                key={session.id}
                session={session}
                end={() => (session.current ? void signOut() : askOne(session))}
              />
            ))}
          </ul>
          <div class="actions">
            {data.length === 1 && <p class="hint">{t('devices.only_this')}</p>}
            {data.length > 1 && <Button onClick={askOthers}>{t('devices.sign_out_others')}</Button>}
            {data.length > 1 && (
              <Button kind="danger" onClick={askAll}>
                {t('devices.sign_out_all')}
              </Button>
            )}
          </div>
          {question.value && (
            <Confirm
              question={question.value}
              close={() => {
                question.value = null
              }}
            />
          )}
        </>
      )}
    </Load>
  )
}
