// One project: its name, whether it is restricted, who may enter it then, its end.
import { useEffect } from 'preact/hooks'
import { t } from '../i18n'
import { paths } from '../paths'
import { loadPeople } from '../people'
import { may } from '../place'
import { type Resource, useResource } from '../resource'
import { go, query } from '../router'
import { api } from '../session'
import { Button } from '../ui/button'
import { ask } from '../ui/confirm'
import { Copyable } from '../ui/copy'
import { Field } from '../ui/field'
import { Form, textOf } from '../ui/form'
import { done } from '../ui/list'
import { Head, Section, Title } from '../ui/page'
import { Load } from '../ui/states'
import { toast } from '../ui/toast'
import type { Project } from '../workspace-api'
import { ProjectMembers } from './project-members'
import { ProjectBadges } from './projects'

const askRestrict = (project: Project, from: Resource<Project>) => {
  const [{ id, name }, restricted] = [project, !project.restricted]
  ask({
    title: t(restricted ? 'projects.ask_restrict' : 'projects.ask_open', { name }),
    body: t(restricted ? 'projects.ask_restrict_body' : 'projects.ask_open_body'),
    action: t(restricted ? 'projects.restrict' : 'projects.open'),
    run: () => api.updateProject(id, { restricted }),
    done: () => done(t(restricted ? 'projects.is_restricted' : 'projects.is_open', { name }), from),
  })
}

const askDelete = ({ id, name }: Project) =>
  ask({
    title: t('projects.ask_delete', { name }),
    body: t('projects.ask_delete_body'),
    action: t('projects.delete'),
    typed: name,
    run: () => api.deleteProject(id),
    done: () => {
      toast(t('projects.deleted', { name }))
      go(paths.projects, { replace: true })
    },
  })

const Settings = ({ project, from }: { project: Project; from: Resource<Project> }) => (
  <Section title={t('projects.settings')}>
    <div class="panel">
      <Form
        action={t('action.save')}
        isDialog={false}
        send={(form) => api.updateProject(project.id, { name: textOf(form, 'name') })}
        done={() => done(t('name.saved'), from)}
      >
        {(wrong) => (
          <Field
            {...{ label: t('name.label'), name: 'name', required: true }}
            {...{ defaultValue: project.name, error: wrong('name', t('name.wrong')) }}
          />
        )}
      </Form>
      {!project.is_default && (
        <div class="actions">
          <Button onClick={() => askRestrict(project, from)}>
            {t(project.restricted ? 'projects.open' : 'projects.restrict')}
          </Button>
          {may('project:delete') && (
            <Button kind="danger" onClick={() => askDelete(project)}>
              {t('projects.delete')}
            </Button>
          )}
        </div>
      )}
    </div>
  </Section>
)

export const ProjectPage = () => {
  const id = query.value.get('id') ?? ''
  const project = useResource(() => api.project(id), id)
  useEffect(() => void loadPeople(), [])
  return (
    <>
      <p class="crumb">
        <a href={paths.projects}>{t('projects.title')}</a>
      </p>
      {project.state.value.is !== 'ready' && <Title>{t('projects.one')}</Title>}
      <Load from={project}>
        {(data) => (
          <>
            <Head title={data.name}>
              <ProjectBadges project={data} />
            </Head>
            <dl class="ids">
              <dt>{t('projects.id')}</dt>
              <dd>
                <Copyable value={data.id} label={t('projects.id')} />
              </dd>
              <dt>{t('projects.slug')}</dt>
              <dd>
                <Copyable value={data.slug} label={t('projects.slug')} />
              </dd>
            </dl>
            {may('project:update') && <Settings project={data} from={project} />}
            {data.restricted && <ProjectMembers project={data} />}
          </>
        )}
      </Load>
    </>
  )
}
