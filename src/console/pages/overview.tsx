// The overview: the workspaces one is in, with the ids that programs name them by.
import type { Me } from '../api'
import { t } from '../i18n'
import { who } from '../session'
import { Copyable } from '../ui/copy'
import { Section, Title } from '../ui/page'
import { Empty } from '../ui/states'

const Workspace = ({ workspace }: { workspace: Me['workspaces'][number] }) => (
  <li class="row">
    <div class="row-body">
      <p class="row-title">
        {workspace.name}
        <span class="badge">{t(`role.${workspace.role}`)}</span>
      </p>
      <dl class="ids">
        <dt>{t('overview.workspace_id')}</dt>
        <dd>
          <Copyable value={workspace.id} label={t('overview.workspace_id')} />
        </dd>
        <dt>{t('overview.project_id')}</dt>
        <dd>
          <Copyable value={workspace.default_project_id} label={t('overview.project_id')} />
        </dd>
      </dl>
    </div>
  </li>
)

export const OverviewPage = () => {
  const workspaces = who.value.is === 'user' ? who.value.me.workspaces : []
  return (
    <>
      <Title>{t('overview.title')}</Title>
      <Section title={t('overview.workspaces')}>
        {workspaces.length === 0 ? (
          <Empty icon="grid">{t('overview.empty')}</Empty>
        ) : (
          <ul class="rows">
            {workspaces.map((workspace) => (
              <Workspace key={workspace.id} workspace={workspace} />
            ))}
          </ul>
        )}
      </Section>
    </>
  )
}
