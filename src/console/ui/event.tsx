// One event of the audit: what, by whom, to what, when.
import { t } from '../i18n'
import { nameOf } from '../people'
import type { AuditEvent } from '../workspace-api'
import { Ago } from './time'

export const EventRow = ({ event }: { event: AuditEvent }) => {
  const { action, actor, targets, outcome, client, change, at } = event
  return (
    <li class="row event">
      <div class="row-body">
        <p class="row-title">
          <code>{action}</code>
          {outcome === 'denied' && <span class="badge bad">{t('audit.denied')}</span>}
        </p>
        <p class="facts">
          <span>{t('audit.by', { who: actor.id === null ? t('audit.nobody') : nameOf(actor.id) })}</span>
          {targets.length > 0 && <span class="targets">{t('audit.on', { what: targets.map(nameOf).join(', ') })}</span>}
          {client && <span>{t('devices.from', { place: client })}</span>}
          {change && <code class="change">{JSON.stringify(change)}</code>}
        </p>
      </div>
      <Ago at={at} />
    </li>
  )
}
