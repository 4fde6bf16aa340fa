// What an archive of a workspace is made of: what its admin sees of each feature, and nothing that was ever secret.
import type { Actor, Judge } from '../../permissions'
import type { Hold } from '../../ports'
import type { AuditService } from '../audit/service'
import type { InvitationService } from '../invitations/service'
import type { KeyService } from '../keys/service'
import type { MediaService } from '../media/service'
import type { MemberService } from '../members/service'
import type { ProjectMemberService } from '../projects/members'
import type { ProjectService } from '../projects/service'
import type { WorkspaceService } from '../workspaces/service'
import type { Contents } from './archive'

type Services = {
  workspaces: Pick<WorkspaceService, 'describe'>
  projects: Pick<ProjectService, 'list'>
  projectMembers: Pick<ProjectMemberService, 'list'>
  members: Pick<MemberService, 'list'>
  invitations: Pick<InvitationService, 'list'>
  keys: Pick<KeyService, 'list'>
  media: Pick<MediaService, 'listIn' | 'listVersions' | 'openVersion'>
  audit: Pick<AuditService, 'export'>
}

/** Builds `contentsOf(actor, judge, hold)`: the contents as that actor sees them. */
export const createContents =
  ({ workspaces, projects, projectMembers, members, invitations, keys, media, audit }: Services) =>
  async (actor: Actor, judge: Judge, hold: () => Hold): Promise<Contents> => ({
    workspace: await workspaces.describe(actor),
    lists: {
      projects: (query) => projects.list(actor, query),
      members: (query) => members.list(actor, query),
      invitations: (query) => invitations.list(actor, query),
      keys: (query) => keys.list(actor, query),
    },
    projects: (query) => projects.list(actor, query),
    projectMembers: (project) => (query) => projectMembers.list(actor, project, query),
    files: (project) => (query) => media.listIn(actor, project, query),
    versions: (file) => (query) => media.listVersions(actor, file, query),
    open: (file, version) => media.openVersion(actor, file, version, hold),
    audit: audit.export(actor, judge, { format: 'jsonl' }, 'part').open,
  })
