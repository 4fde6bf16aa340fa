// The members of the workspace: who they are, what each role may do, who is invited.
import { type Role, roles } from '../../permissions'
import { t } from '../i18n'
import { callOf } from '../people'
import { may, workspace } from '../place'
import { type Pages, usePages } from '../resource'
import { api, loadWho, who } from '../session'
import { Button } from '../ui/button'
import { ask } from '../ui/confirm'
import { Check } from '../ui/field'
import { done, List } from '../ui/list'
import { Head, Section } from '../ui/page'
import { Empty } from '../ui/states'
import { Ago } from '../ui/time'
import { toast } from '../ui/toast'
import { problemWords } from '../words'
import type { Member } from '../workspace-api'
import { Invitations, invite } from './invitations'

const askRemove = (member: Member, members: Pages<Member>) => {
  const name = callOf(member)
  let revokesKeys = false
  const keep = (is: boolean) => {
    revokesKeys = is
  }
  ask({
    title: t('members.ask_remove', { name }),
    body: t('members.ask_remove_body', { workspace: workspace.peek()?.name ?? '' }),
    action: t('members.remove'),
    extra: <Check label={t('members.revoke_keys')} onCheck={keep} />,
    conflict: t('members.last_admin'),
    run: () => api.removeMember(member.user_id, revokesKeys),
    done: () => done(t('members.removed', { name }), members),
  })
}

/** Asks before leaving the workspace. */
export const askLeave = (): void => {
  const [here, now] = [workspace.peek(), who.peek()]
  if (!here || now.is !== 'user') return
  ask({
    title: t('members.ask_leave', { name: here.name }),
    body: t('members.ask_leave_body'),
    action: t('members.leave'),
    conflict: t('members.last_admin'),
    run: () => api.removeMember(now.me.id, false),
    done: () => void loadWho(),
  })
}

const RoleChoice = ({ member, members }: { member: Member; members: Pages<Member> }) => {
  const set = async (select: HTMLSelectElement) => {
    const answer = await api.setRole(member.user_id, select.value as Role)
    if (!answer.ok) {
      select.value = member.role
      return toast(answer.problem.code === 'conflict' ? t('members.last_admin') : problemWords(answer.problem))
    }
    done(t('members.role_set', { name: callOf(member), role: t(`role.${answer.data.role}`) }), members)
  }
  return (
    <select
      class="select"
      aria-label={t('members.role_of', { name: callOf(member) })}
      value={member.role}
      onChange={(event) => void set(event.currentTarget)}
    >
      {roles.map((role) => (
        <option key={role} value={role}>
          {t(`role.${role}`)}
        </option>
      ))}
    </select>
  )
}

const MemberRow = ({ member, members }: { member: Member; members: Pages<Member> }) => {
  const isMe = who.value.is === 'user' && who.value.me.id === member.user_id
  return (
    <li class="row">
      <div class="row-body">
        <p class="row-title">
          {callOf(member)}
          {isMe && <span class="badge">{t('members.you')}</span>}
        </p>
        <p class="facts">
          {member.name && <span>{member.email}</span>}
          <span>
            {t('members.joined')} <Ago at={member.joined_at} />
          </span>
        </p>
      </div>
      {may('member:update') ? (
        <RoleChoice member={member} members={members} />
      ) : (
        <span class="badge plain">{t(`role.${member.role}`)}</span>
      )}
      {isMe && <Button onClick={askLeave}>{t('members.leave')}</Button>}
      {!isMe && may('member:update') && (
        <Button
          onClick={() => askRemove(member, members)}
          aria-label={t('members.remove_named', { name: callOf(member) })}
        >
          {t('members.remove')}
        </Button>
      )}
    </li>
  )
}

const Roles = () => (
  <Section title={t('roles.title')}>
    <dl class="roles">
      {roles.map((role) => (
        <div key={role}>
          <dt>{t(`role.${role}`)}</dt>
          <dd>{t(`roles.${role}`)}</dd>
        </div>
      ))}
    </dl>
  </Section>
)

export const MembersPage = () => {
  const members = usePages(api.members)
  const invitations = usePages(
    may('invitation:read')
      ? api.invitations
      : async () => ({ ok: true, data: { data: [], next_cursor: null } }) as const,
  )
  return (
    <>
      <Head title={t('members.title')} lead={t('members.lead')}>
        {may('invitation:create') && (
          <Button kind="main" onClick={() => invite(invitations)}>
            {t('members.invite')}
          </Button>
        )}
      </Head>
      <List from={members} label={t('members.title')} empty={<Empty icon="people">{t('members.empty')}</Empty>}>
        {(member) => <MemberRow key={member.user_id} member={member} members={members} />}
      </List>
      {may('invitation:read') && <Invitations from={invitations} />}
      <Roles />
    </>
  )
}
