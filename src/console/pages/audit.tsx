// The audit: who did what to what, narrowed down by an address that can be kept, paged, and exported whole.
import { useEffect, useRef } from 'preact/hooks'
import { t } from '../i18n'
import { paths } from '../paths'
import { loadPeople, membersHere, nameOf } from '../people'
import { usePages } from '../resource'
import { go, query } from '../router'
import { save } from '../save'
import { api } from '../session'
import { Button } from '../ui/button'
import { EventRow } from '../ui/event'
import { Choice, Field } from '../ui/field'
import { List } from '../ui/list'
import { Head } from '../ui/page'
import { Empty } from '../ui/states'
import { toast } from '../ui/toast'
import { problemWords } from '../words'
import { type AuditFilter, queryOf } from '../workspace-api'

const names = ['action', 'actor', 'target', 'from', 'to'] as const
const dayMs = 86_400_000

const kept = () =>
  Object.fromEntries(names.map((name) => [name, query.value.get(name) ?? ''])) as Record<string, string>

/** Days as the person knows them, as the instants between which the server looks. */
const filterOf = ({ from, to, ...rest }: Record<string, string>): AuditFilter => {
  const midnight = (day: string | undefined, daysLater: number) => {
    const at = Date.parse(`${day}T00:00:00`)
    return Number.isNaN(at) ? '' : new Date(at + daysLater * dayMs).toISOString()
  }
  return { ...rest, from: midnight(from, 0), to: midnight(to, 1) }
}

const Filter = () => {
  const form = useRef<HTMLFormElement>(null)
  const now = kept()
  const people = membersHere().map((member) => member.user_id)
  // Also who is not here: a key, somebody who has left, and everybody until the members have come.
  const whoever = [...new Set([...(now.actor ? [now.actor] : []), ...people])]
  const apply = () => {
    const values = Object.fromEntries(
      [...new FormData(form.current!)].map(([name, value]) => [name, String(value).trim()]),
    )
    go(paths.audit + queryOf(values))
  }
  return (
    <search>
      <form
        ref={form}
        class="filter"
        onSubmit={(event) => {
          event.preventDefault()
          apply()
        }}
      >
        <Field
          label={t('audit.action')}
          name="action"
          defaultValue={now.action}
          placeholder="key.created"
          spellcheck={false}
        />
        <Choice
          label={t('audit.actor')}
          name="actor"
          value={now.actor ?? ''}
          options={[['', t('audit.anybody')], ...whoever.map((id) => [id, nameOf(id)] as const)]}
        />
        <Field
          label={t('audit.target')}
          name="target"
          defaultValue={now.target}
          placeholder="key_…"
          spellcheck={false}
        />
        <Field label={t('audit.from')} name="from" type="date" defaultValue={now.from} />
        <Field label={t('audit.to')} name="to" type="date" defaultValue={now.to} />
        <div class="actions">
          <Button type="submit">{t('audit.apply')}</Button>
          <a class="button quiet" href={paths.audit}>
            {t('audit.clear')}
          </a>
        </div>
      </form>
    </search>
  )
}

export const AuditPage = () => {
  const about = query.value.toString()
  const events = usePages((cursor) => api.audit(filterOf(kept()), cursor), about)
  useEffect(() => void loadPeople(), [])

  const exportAs = async (format: 'jsonl' | 'csv') => {
    const answer = await api.exportAudit(format)
    if (answer.ok) save(`audit.${format}`, answer.data)
    else toast(problemWords(answer.problem))
  }
  return (
    <>
      <Head title={t('audit.title')} lead={t('audit.lead')}>
        <Button onClick={() => void exportAs('csv')}>{t('audit.export', { format: 'CSV' })}</Button>
        <Button onClick={() => void exportAs('jsonl')}>{t('audit.export', { format: 'JSONL' })}</Button>
      </Head>
      <Filter key={about} />
      <List from={events} label={t('audit.title')} empty={<Empty icon="list">{t('audit.empty')}</Empty>}>
        {(event) => <EventRow key={event.id} event={event} />}
      </List>
    </>
  )
}
