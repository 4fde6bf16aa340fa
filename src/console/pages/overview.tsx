// The overview: what is to be done first, what was used, what happened, how the node is.
import { useEffect } from 'preact/hooks'
import { t } from '../i18n'
import { count } from '../numbers'
import { paths } from '../paths'
import { loadPeople } from '../people'
import { enterNew, may, workspace } from '../place'
import { useResource } from '../resource'
import { api } from '../session'
import { inFull } from '../time'
import { Button } from '../ui/button'
import { Copyable } from '../ui/copy'
import { EventRow } from '../ui/event'
import { Head, Section } from '../ui/page'
import { Empty, Load } from '../ui/states'
import { toast } from '../ui/toast'
import { problemWords } from '../words'
import { FirstRun } from './first-run'
import { Usage } from './usage'

/** Invitations to other workspaces that wait for this person. */
export const Offers = () => {
  const offers = useResource(api.offers)
  const state = offers.state.value
  if (state.is !== 'ready' || state.data.data.length === 0) return null
  const accept = async (id: string) => {
    const answer = await api.acceptOffer(id)
    if (!answer.ok) return toast(problemWords(answer.problem))
    await enterNew(answer.data.workspace_id)
  }
  return (
    <ul class="rows offers" aria-label={t('offers.title')}>
      {state.data.data.map((offer) => (
        <li class="row" key={offer.id}>
          <div class="row-body">
            <p class="row-title">{t('offers.one', { name: offer.workspace_name })}</p>
            <p class="facts">{t('offers.as', { role: t(`role.${offer.role}`), until: inFull(offer.expires_at) })}</p>
          </div>
          <Button kind="main" onClick={() => void accept(offer.id)}>
            {t('offers.accept')}
          </Button>
        </li>
      ))}
    </ul>
  )
}

const RecentEvents = () => {
  const events = useResource(() => api.audit({}, undefined, 5))
  useEffect(() => void loadPeople(), [])
  return (
    <Section title={t('overview.events')} actions={<a href={paths.audit}>{t('overview.events_all')}</a>}>
      <Load from={events}>
        {({ data }) => (
          <ul class="rows">
            {data.map((event) => (
              <EventRow key={event.id} event={event} />
            ))}
          </ul>
        )}
      </Load>
    </Section>
  )
}

const checkWords = {
  database: 'health.database',
  storage: 'health.storage',
  mail: 'health.mail',
  media: 'health.media',
  backup: 'health.backup',
  feed: 'health.feed',
} as const
type Check = keyof typeof checkWords

const Health = () => {
  const health = useResource(api.health)
  return (
    <Section title={t('health.title')}>
      <Load from={health}>
        {({ checks, feed_age_ms }) => (
          <ul class="rows checks">
            {Object.entries(checks).map(([name, state]) => (
              <li class="row" key={name}>
                <span class="row-body row-title">{name in checkWords ? t(checkWords[name as Check]) : name}</span>
                {name === 'feed' && typeof feed_age_ms === 'number' && (
                  <span class="facts">{t('health.feed_age', { ms: count(feed_age_ms) })}</span>
                )}
                <span class={state === 'ok' ? 'badge' : 'badge bad'}>{t(`health.${state}`)}</span>
              </li>
            ))}
          </ul>
        )}
      </Load>
    </Section>
  )
}

const Ids = () => {
  const here = workspace.value
  if (!here) return null
  return (
    <Section title={t('overview.ids')} lead={t('overview.ids_lead')}>
      <dl class="ids">
        <dt>{t('overview.workspace_id')}</dt>
        <dd>
          <Copyable value={here.id} label={t('overview.workspace_id')} />
        </dd>
        <dt>{t('overview.project_id')}</dt>
        <dd>
          <Copyable value={here.default_project_id} label={t('overview.project_id')} />
        </dd>
      </dl>
    </Section>
  )
}

export const OverviewPage = () => {
  const here = workspace.value
  return (
    <>
      <Head
        title={t('overview.title')}
        lead={here && t('overview.lead', { name: here.name, role: t(`role.${here.role}`) })}
      />
      <Offers />
      {!here && <Empty icon="grid">{t('overview.empty')}</Empty>}
      {may('key:create') && <FirstRun />}
      {may('usage:read') && <Usage />}
      {may('audit:read') && <RecentEvents />}
      <Health />
      <Ids />
    </>
  )
}
