// The devices that are signed in, and signing them out: one, all others, or all.
import type { Session } from '../api'
import { t } from '../i18n'
import { useResource } from '../resource'
import { api, left } from '../session'
import { Button } from '../ui/button'
import { ask } from '../ui/confirm'
import { Icon, type IconName } from '../ui/icons'
import { done } from '../ui/list'
import { signOut } from '../ui/shell'
import { Load } from '../ui/states'
import { Ago } from '../ui/time'

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

  const askOne = ({ id, label: device }: Session) =>
    ask({
      title: t('devices.ask_one', { device }),
      body: t('devices.ask_one_body'),
      action: t('devices.sign_out'),
      run: () => api.endSession(id),
      done: () => done(t('devices.done_one', { device }), sessions),
    })
  const askOthers = () =>
    ask({
      title: t('devices.ask_others'),
      body: t('devices.ask_others_body'),
      action: t('devices.sign_out_others'),
      run: () => api.endSessions('others'),
      done: () => done(t('devices.done_others'), sessions),
    })
  const askAll = () =>
    ask({
      title: t('devices.ask_all'),
      body: t('devices.ask_all_body'),
      action: t('devices.sign_out_all'),
      run: () => api.endSessions('all'),
      done: left,
    })

  return (
    <Load from={sessions}>
      {({ data }) => (
        <>
          <ul class="rows" aria-label={t('devices.title')}>
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
        </>
      )}
    </Load>
  )
}
