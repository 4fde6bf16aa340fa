// Who may enter a restricted project, and with which role there.
import { type Role, roles } from '../../permissions'
import { t } from '../i18n'
import { membersHere, nameOf } from '../people'
import { may } from '../place'
import { type Pages, usePages } from '../resource'
import { api } from '../session'
import { Button } from '../ui/button'
import { ask } from '../ui/confirm'
import { closeDialog, Dialog, showDialog } from '../ui/dialog'
import { Choice } from '../ui/field'
import { Form, textOf } from '../ui/form'
import { done, List } from '../ui/list'
import { Section } from '../ui/page'
import { Ago } from '../ui/time'
import type { Project, ProjectMember } from '../workspace-api'

type Props = { project: Project; members: Pages<ProjectMember> }

const AddMember = ({ project, members }: Props) => {
  // Admins enter every project without being listed.
  const people = membersHere().filter(({ role }) => role !== 'admin')
  return (
    <Dialog title={t('project_members.add')} lead={t('project_members.add_lead')}>
      {people.length === 0 ? (
        <>
          <p class="hint">{t('project_members.nobody')}</p>
          <div class="actions">
            <Button onClick={closeDialog}>{t('action.close')}</Button>
          </div>
        </>
      ) : (
        <Form
          action={t('project_members.add')}
          send={(form) => api.putProjectMember(project.id, textOf(form, 'user'), textOf(form, 'role') as Role)}
          done={({ user_id }) => {
            closeDialog()
            done(t('project_members.added', { name: nameOf(user_id) }), members)
          }}
          explain={({ code }) => (code === 'conflict' ? ['role', t('project_members.above')] : undefined)}
        >
          {(wrong) => (
            <>
              <Choice
                {...{ label: t('members.one'), name: 'user', value: people[0]!.user_id }}
                options={people.map((m) => [m.user_id, m.name ? `${m.name} (${m.email})` : m.email] as const)}
              />
              <Choice
                {...{ label: t('members.role'), name: 'role', value: 'viewer', error: wrong('role') }}
                options={roles.slice(0, 2).map((role) => [role, t(`role.${role}`)] as const)}
              />
            </>
          )}
        </Form>
      )}
    </Dialog>
  )
}

export const ProjectMembers = ({ project }: { project: Project }) => {
  const members = usePages((cursor) => api.projectMembers(project.id, cursor), project.id)
  const askRemove = (id: string) => {
    const name = nameOf(id)
    ask({
      title: t('project_members.ask_remove', { name, project: project.name }),
      body: t('project_members.ask_remove_body'),
      action: t('members.remove'),
      run: () => api.removeProjectMember(project.id, id),
      done: () => done(t('project_members.removed', { name }), members),
    })
  }
  const add = may('project-member:update') && (
    <Button onClick={() => showDialog(<AddMember project={project} members={members} />)}>
      {t('project_members.add')}
    </Button>
  )
  return (
    <Section title={t('project_members.title')} lead={t('project_members.lead')} actions={add}>
      <List from={members} label={t('project_members.title')} empty={<p class="hint">{t('project_members.empty')}</p>}>
        {({ user_id, role, added_at }) => (
          <li class="row" key={user_id}>
            <div class="row-body">
              <p class="row-title">{nameOf(user_id)}</p>
              <p class="facts">
                <span>
                  {t('project_members.since')} <Ago at={added_at} />
                </span>
              </p>
            </div>
            <span class="badge plain">{t(`role.${role}`)}</span>
            {may('project-member:update') && (
              <Button
                onClick={() => askRemove(user_id)}
                aria-label={t('members.remove_named', { name: nameOf(user_id) })}
              >
                {t('members.remove')}
              </Button>
            )}
          </li>
        )}
      </List>
    </Section>
  )
}
