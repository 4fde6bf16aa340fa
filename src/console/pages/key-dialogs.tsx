// Making and rotating an API key. The token is shown once, and the dialog stays until that is acknowledged.
import { useSignal } from '@preact/signals'
import { type Level, levels } from '../../permissions'
import { t } from '../i18n'
import { api } from '../session'
import { Button } from '../ui/button'
import { Copyable } from '../ui/copy'
import { closeDialog, Dialog, showDialog } from '../ui/dialog'
import { Check, Choice, Field } from '../ui/field'
import { Form, textOf } from '../ui/form'
import { ProjectChecks } from '../ui/project-checks'
import type { Key, NewKey } from '../workspace-api'

const environments = ['live', 'test', 'dev'] as const satisfies readonly Key['environment'][]

type Reload = { reload: () => Promise<void> }

/** A line for a shell that works as it is pasted: by the key's level, it keeps a file or lists what is there. */
const curlLine = ({ token, level }: NewKey): string => {
  const head = `curl -sS ${location.origin}/api/media -H 'Authorization: Bearer ${token}'`
  return level === 'read'
    ? head
    : `${head} -H 'Content-Type: text/plain' -H 'X-File-Name: hello.txt' -d 'Hello from Latchkey'`
}

const ShownOnce = ({ made }: { made: NewKey }) => {
  const isKept = useSignal(false)
  const mustKeep = useSignal(false)
  const close = () => {
    mustKeep.value = !isKept.peek()
    if (isKept.peek()) closeDialog()
  }
  return (
    <Dialog title={t('keys.made', { name: made.name })} lead={t('keys.made_lead')} leave={null} isWide>
      <Copyable value={made.token} label={t('keys.token')} isBlock />
      <p class="hint">{t(made.level === 'read' ? 'keys.curl_read' : 'keys.curl')}</p>
      <Copyable value={curlLine(made)} label={t('keys.curl_line')} isBlock />
      <Check
        label={t('keys.kept')}
        onCheck={(is) => {
          isKept.value = is
          mustKeep.value = false
        }}
      />
      <p class="error" role="alert">
        {mustKeep.value ? t('keys.must_keep') : ''}
      </p>
      <div class="actions">
        <Button kind="main" onClick={close}>
          {t('action.done')}
        </Button>
      </div>
    </Dialog>
  )
}

const showOnce = (made: NewKey, list: Reload) => {
  showDialog(<ShownOnce made={made} />)
  void list.reload()
}

const CreateKey = ({ list }: { list: Reload }) => {
  const level = useSignal<Level>('write')
  const send = (form: FormData) => {
    const [until, projects] = [textOf(form, 'expires_at'), form.getAll('projects').map(String)]
    return api.createKey({
      name: textOf(form, 'name'),
      level: level.peek(),
      environment: textOf(form, 'environment') as Key['environment'],
      ...(projects.length > 0 && { projects }),
      ...(until !== '' && { expires_at: new Date(`${until}T23:59:59`).toISOString() }),
    })
  }
  return (
    <Dialog title={t('keys.create')} lead={t('keys.create_lead')}>
      <Form action={t('keys.create')} send={send} done={(made) => showOnce(made, list)}>
        {(wrong) => (
          <>
            <Field
              {...{ label: t('name.label'), hint: t('keys.name_hint'), name: 'name', required: true }}
              error={wrong('name', t('name.wrong'))}
            />
            <Choice
              {...{ label: t('keys.level'), name: 'level', value: level.value, error: wrong('level') }}
              options={levels.map((one) => [one, `${t(`level.${one}`)} – ${t(`level.${one}_short`)}`] as const)}
              onChoose={(to) => {
                level.value = to as Level
              }}
            />
            <Choice
              {...{ label: t('keys.environment'), name: 'environment', value: 'live' }}
              options={environments.map((one) => [one, t(`environment.${one}`)] as const)}
            />
            {level.value !== 'admin' && <ProjectChecks legend={t('keys.projects')} />}
            <Field
              {...{ label: t('keys.until'), hint: t('keys.until_hint'), name: 'expires_at', type: 'date' }}
              error={wrong('expires_at', t('keys.until_wrong'))}
            />
          </>
        )}
      </Form>
    </Dialog>
  )
}

/** Makes a key; `list` is read anew. */
export const newKey = (list: Reload): void => showDialog(<CreateKey list={list} />)

const graces = [0, 3600, 86_400, 604_800] as const

const Rotate = ({ of, list }: { of: Key; list: Reload }) => (
  <Dialog title={t('keys.ask_rotate', { name: of.name })} lead={t('keys.ask_rotate_body')}>
    <Form
      action={t('keys.rotate')}
      send={(form) => api.rotateKey(of.id, Number(textOf(form, 'grace')))}
      done={(made) => showOnce(made, list)}
      explain={({ code }) => (code === 'conflict' ? ['', t('keys.rotated_already')] : undefined)}
    >
      {(wrong) => (
        <Choice
          {...{ label: t('keys.grace'), name: 'grace', value: '86400', error: wrong('grace_seconds') }}
          options={graces.map((seconds) => [String(seconds), t(`keys.grace_${seconds}`)] as const)}
        />
      )}
    </Form>
  </Dialog>
)

export const rotateKey = (of: Key, list: Reload): void => showDialog(<Rotate of={of} list={list} />)
