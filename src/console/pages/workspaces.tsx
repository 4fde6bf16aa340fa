// The workspaces one is in: switching, making one, and the settings of the one that is open.

import type { Page, Workspace } from '../api'
import { t } from '../i18n'
import { enter, enterNew, may, workspace } from '../place'
import { type Resource, useResource } from '../resource'
import { api, loadWho } from '../session'
import { inFull } from '../time'
import { Button } from '../ui/button'
import { ask } from '../ui/confirm'
import { closeDialog, Dialog, showDialog } from '../ui/dialog'
import { Choice, Field } from '../ui/field'
import { Form, textOf } from '../ui/form'
import { Head, Section } from '../ui/page'
import { Empty, Load } from '../ui/states'
import { toast } from '../ui/toast'
import { problemWords } from '../words'
import { askLeave } from './members'
import { Offers } from './overview'

type All = Resource<Page<Workspace>>

const Create = () => (
  <Dialog title={t('workspaces.create')} lead={t('workspaces.create_lead')}>
    <Form
      action={t('workspaces.create')}
      send={(form) => api.createWorkspace({ name: textOf(form, 'name') })}
      done={({ id, name }) => {
        closeDialog()
        toast(t('workspaces.created', { name }))
        void enterNew(id)
      }}
    >
      {(wrong) => <Field label={t('name.label')} name="name" required error={wrong('name', t('name.wrong'))} />}
    </Form>
  </Dialog>
)

const refresh = (words: string, all: All) => {
  void loadWho().then(() => toast(words))
  void all.reload()
}

const Row = ({ of, all }: { of: Workspace; all: All }) => {
  const restore = async () => {
    const answer = await api.restoreWorkspace(of.id)
    if (answer.ok) refresh(t('workspaces.restored', { name: of.name }), all)
    else toast(problemWords(answer.problem))
  }
  const isHere = workspace.value?.id === of.id
  return (
    <li class={of.deletes_at ? 'row over' : 'row'}>
      <div class="row-body">
        <p class="row-title">
          {of.name}
          <span class="badge plain">{t(`role.${of.role}`)}</span>
          {isHere && <span class="badge">{t('workspaces.here')}</span>}
        </p>
        {of.deletes_at && <p class="facts bad">{t('workspaces.deletes', { at: inFull(of.deletes_at) })}</p>}
      </div>
      {!of.deletes_at && !isHere && (
        <Button onClick={() => enter(of.id)} aria-label={t('workspaces.enter_named', { name: of.name })}>
          {t('workspaces.enter')}
        </Button>
      )}
      {of.deletes_at && of.role === 'admin' && (
        <Button onClick={() => void restore()} aria-label={t('workspaces.restore_named', { name: of.name })}>
          {t('workspaces.restore')}
        </Button>
      )}
    </li>
  )
}

const askDelete = (name: string, id: string, all: All) =>
  ask({
    title: t('workspaces.ask_delete', { name }),
    body: t('workspaces.ask_delete_body'),
    action: t('workspaces.delete'),
    typed: name,
    run: () => api.deleteWorkspace(id),
    done: () => refresh(t('workspaces.deleted', { name }), all),
  })

const ages = ['', '3600', '43200', '86400', '604800', '2592000'] as const

const Settings = ({ of: { id, name, max_auth_age_seconds: age }, all }: { of: Workspace; all: All }) => {
  const send = (form: FormData) => {
    const wanted = Number(textOf(form, 'max_auth_age_seconds'))
    return api.updateWorkspace(id, { name: textOf(form, 'name'), max_auth_age_seconds: wanted || null })
  }
  const known = ages.map((one) => [one, t(`workspaces.age_${one || 'none'}`)] as const)
  // What a program has set may be none of ours.
  const other = String(age ?? '')
  const options = known.some(([one]) => one === other)
    ? known
    : [...known, [other, t('workspaces.age_other', { count: other })] as const]
  return (
    <Section title={t('workspaces.settings', { name })}>
      <div class="panel">
        {may('workspace:update') && (
          <Form action={t('action.save')} isDialog={false} send={send} done={() => refresh(t('name.saved'), all)}>
            {(wrong) => (
              <>
                <Field
                  {...{ label: t('name.label'), name: 'name', required: true }}
                  {...{ defaultValue: name, error: wrong('name', t('name.wrong')) }}
                />
                <Choice
                  {...{ label: t('workspaces.age'), hint: t('workspaces.age_hint'), name: 'max_auth_age_seconds' }}
                  {...{ value: other, options, error: wrong('max_auth_age_seconds') }}
                />
              </>
            )}
          </Form>
        )}
        <div class="actions">
          <Button onClick={askLeave}>{t('workspaces.leave')}</Button>
          {may('workspace:delete') && (
            <Button kind="danger" onClick={() => askDelete(name, id, all)}>
              {t('workspaces.delete')}
            </Button>
          )}
        </div>
      </div>
    </Section>
  )
}

export const WorkspacesPage = () => {
  const all = useResource(api.workspaces)
  return (
    <>
      <Head title={t('workspaces.title')} lead={t('workspaces.lead')}>
        <Button kind="main" onClick={() => showDialog(<Create />)}>
          {t('workspaces.create')}
        </Button>
      </Head>
      <Offers />
      <Load from={all}>
        {({ data }) => {
          const here = data.find(({ id }) => id === workspace.value?.id)
          if (data.length === 0) return <Empty icon="house">{t('overview.empty')}</Empty>
          return (
            <>
              <ul class="rows" aria-label={t('workspaces.title')}>
                {data.map((one) => (
                  <Row key={one.id} of={one} all={all} />
                ))}
              </ul>
              {here && <Settings key={here.id} of={here} all={all} />}
            </>
          )
        }}
      </Load>
    </>
  )
}
