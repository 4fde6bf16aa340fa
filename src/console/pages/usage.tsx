// What the workspace used: requests by day, and each quota with what is left of it.
import { t } from '../i18n'
import { count, size } from '../numbers'
import { useResource } from '../resource'
import type { Answer } from '../send'
import { api } from '../session'
import { inFull } from '../time'
import { type Bar, Bars, Gauge } from '../ui/chart'
import { Section } from '../ui/page'
import { Load } from '../ui/states'
import type { Quotas, UsageOfDay } from '../workspace-api'

const [days, dayMs, mostPages] = [30, 86_400_000, 20]

const lastDays = (): string[] =>
  Array.from({ length: days }, (_, at) => new Date(Date.now() - (days - 1 - at) * dayMs).toISOString().slice(0, 10))

/** Rows come by day, project and key: summed up by day. */
const loadDays = async (): Promise<Answer<Bar[]>> => {
  const shown = lastDays()
  const sums = new Map<string, Bar>(shown.map((label) => [label, { label, value: 0, lost: 0 }]))
  const add = ({ day, requests, refused }: UsageOfDay) => {
    const bar = sums.get(day)
    if (!bar) return
    bar.value += requests
    bar.lost += refused
  }
  let cursor: string | undefined
  for (let page = 0; page < mostPages; page++) {
    const answer = await api.usage(shown[0]!, cursor)
    if (!answer.ok) return answer
    answer.data.data.forEach(add)
    cursor = answer.data.next_cursor ?? undefined
    if (!cursor) break
  }
  return { ok: true, data: [...sums.values()] }
}

// Credits are what an operator gives: none given and none used is nothing to show.
const isOfUse = ({ used, allowed }: Quotas['quotas'][number]) => used > 0 || allowed !== 0

const Quota = ({ quota }: { quota: Quotas['quotas'][number] }) => {
  const { resource, used, allowed, resets_at } = quota
  const show = resource === 'storage_bytes' ? size : count
  const name = t(`usage.${resource}`)
  const words = allowed === null ? show(used) : t('usage.of', { used: show(used), allowed: show(allowed) })
  return (
    <div class="quota">
      <dt>{name}</dt>
      <dd>
        <strong>{words}</strong>
        {allowed !== null && <Gauge part={allowed === 0 ? 0 : used / allowed} label={`${name}: ${words}`} />}
        {allowed === null && <span class="aside">{t('usage.unlimited')}</span>}
        {resets_at && <span class="aside">{t('usage.resets', { at: inFull(resets_at) })}</span>}
      </dd>
    </div>
  )
}

export const Usage = () => {
  const [perDay, quotas] = [useResource(loadDays), useResource(api.quotas)]
  return (
    <Section title={t('usage.title')}>
      <Load from={quotas}>
        {(data) => (
          <dl class="quotas">
            {data.quotas.filter(isOfUse).map((quota) => (
              <Quota key={quota.resource} quota={quota} />
            ))}
          </dl>
        )}
      </Load>
      <Load from={perDay}>
        {(bars) => {
          const sum = bars.reduce((all, { value }) => all + value, 0)
          const lost = bars.reduce((all, { lost }) => all + lost, 0)
          return (
            <div class="panel">
              <h3>{t('usage.requests_by_day')}</h3>
              <p class="facts">
                <span>{t('usage.in_days', { count: count(sum), days })}</span>
                {lost > 0 && <span class="bad">{t('usage.refused', { count: count(lost) })}</span>}
              </p>
              {sum > 0 && <Bars bars={bars} label={t('usage.in_days', { count: count(sum), days })} />}
            </div>
          )
        }}
      </Load>
    </Section>
  )
}
