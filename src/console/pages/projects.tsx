// The projects of the workspace: made, opened to all members or restricted to some.
import { t } from '../i18n'
import { paths } from '../paths'
import { may } from '../place'
import { type Pages, usePages } from '../resource'
import { api } from '../session'
import { Button } from '../ui/button'
import { closeDialog, Dialog, showDialog } from '../ui/dialog'
import { Check, Field } from '../ui/field'
import { Form, textOf } from '../ui/form'
import { Icon } from '../ui/icons'
import { done, List } from '../ui/list'
import { Head } from '../ui/page'
import { Empty } from '../ui/states'
import { Ago } from '../ui/time'
import { type Project, queryOf } from '../workspace-api'

const CreateProject = ({ projects }: { projects: Pages<Project> }) => (
  <Dialog title={t('projects.create')} lead={t('projects.create_lead')}>
    <Form
      action={t('projects.create')}
      send={(form) => {
        const slug = textOf(form, 'slug')
        return api.createProject({
          name: textOf(form, 'name'),
          restricted: form.has('restricted'),
          ...(slug !== '' && { slug }),
        })
      }}
      done={({ name }) => {
        closeDialog()
        done(t('projects.created', { name }), projects)
      }}
      explain={({ code }) => (code === 'conflict' ? ['slug', t('projects.slug_taken')] : undefined)}
    >
      {(wrong) => (
        <>
          <Field label={t('name.label')} name="name" required error={wrong('name', t('name.wrong'))} />
          <Field
            {...{ label: t('projects.slug'), hint: t('projects.slug_hint'), name: 'slug', spellcheck: false }}
            error={wrong('slug', t('projects.slug_wrong'))}
          />
          <Check label={t('projects.restricted_long')} name="restricted" />
        </>
      )}
    </Form>
  </Dialog>
)

/** The page of one project. */
const projectPath = (id: string): string => paths.project + queryOf({ id })

export const ProjectBadges = ({ project }: { project: Project }) => (
  <>
    {project.is_default && <span class="badge plain">{t('projects.default')}</span>}
    {project.restricted && (
      <span class="badge">
        <Icon name="lock" />
        {t('projects.restricted')}
      </span>
    )}
  </>
)

export const ProjectsPage = () => {
  const projects = usePages(api.projects)
  return (
    <>
      <Head title={t('projects.title')} lead={t('projects.lead')}>
        {may('project:create') && (
          <Button kind="main" onClick={() => showDialog(<CreateProject projects={projects} />)}>
            {t('projects.create')}
          </Button>
        )}
      </Head>
      <List from={projects} label={t('projects.title')} empty={<Empty icon="folder">{t('projects.empty')}</Empty>}>
        {(project) => (
          <li class="row" key={project.id}>
            <Icon name="folder" />
            <div class="row-body">
              <p class="row-title">
                <a href={projectPath(project.id)}>{project.name}</a>
                <ProjectBadges project={project} />
              </p>
              <p class="facts">
                <code>{project.slug}</code>
                <span>
                  {t('projects.created_at')} <Ago at={project.created_at} />
                </span>
              </p>
            </div>
            <a class="button quiet" href={paths.media + queryOf({ project: project.id })}>
              {t('projects.media')}
            </a>
          </li>
        )}
      </List>
    </>
  )
}
