// Invitations: sent by mail, pending until they are accepted, taken back or over.
import { type Role, roles } from '../../permissions'
import { locale, t } from '../i18n'
import { may } from '../place'
import type { Pages } from '../resource'
import { api } from '../session'
import { inFull } from '../time'
import { Button } from '../ui/button'
import { ask } from '../ui/confirm'
import { closeDialog, Dialog, showDialog } from '../ui/dialog'
import { Choice, Field } from '../ui/field'
import { Form, textOf } from '../ui/form'
import { done, List } from '../ui/list'
import { Section } from '../ui/page'
import { ProjectChecks } from '../ui/project-checks'
import { Ago } from '../ui/time'
import type { Invitation } from '../workspace-api'

const InviteDialog = ({ invitations }: { invitations: Pages<Invitation> }) => (
  <Dialog title={t('members.invite')} lead={t('invite.lead')}>
    <Form
      action={t('invite.send')}
      send={(form) =>
        api.invite({
          email: textOf(form, 'email'),
          role: textOf(form, 'role') as Role,
          projects: form.getAll('projects').map(String),
          locale: locale.peek(),
        })
      }
      done={({ email }) => {
        closeDialog()
        done(t('invite.sent', { email }), invitations)
      }}
      explain={({ code, fields }) => {
        if (code === 'conflict') return ['email', t('invite.conflict')]
        return code === 'invalid' && !fields ? ['email', t('signin.email_invalid')] : undefined
      }}
    >
      {(wrong) => (
        <>
          <Field
            {...{ label: t('signin.email'), name: 'email', type: 'email', required: true }}
            {...{ autocomplete: 'off', error: wrong('email', t('signin.email_invalid')) }}
          />
          <Choice
            {...{ label: t('members.role'), name: 'role', value: 'member' }}
            options={roles.map((role) => [role, `${t(`role.${role}`)} – ${t(`roles.${role}_short`)}`] as const)}
          />
          <ProjectChecks legend={t('invite.projects')} isOffered={({ restricted }) => restricted} />
        </>
      )}
    </Form>
  </Dialog>
)

export const invite = (invitations: Pages<Invitation>): void => showDialog(<InviteDialog invitations={invitations} />)

const statusWords = {
  pending: 'invite.pending',
  accepted: 'invite.accepted',
  revoked: 'invite.revoked_state',
  expired: 'invite.expired',
} as const

const askRevoke = ({ id, email }: Invitation, invitations: Pages<Invitation>) =>
  ask({
    title: t('invite.ask_revoke', { email }),
    body: t('invite.ask_revoke_body'),
    action: t('invite.revoke'),
    run: () => api.revokeInvitation(id),
    done: () => done(t('invite.revoked', { email }), invitations),
  })

export const Invitations = ({ from }: { from: Pages<Invitation> }) => (
  <Section title={t('invite.title')}>
    <List from={from} label={t('invite.title')} empty={<p class="hint">{t('invite.empty')}</p>}>
      {(invitation) => (
        <li class="row" key={invitation.id}>
          <div class="row-body">
            <p class="row-title">
              {invitation.email}
              <span class={invitation.status === 'pending' ? 'badge' : 'badge plain'}>
                {t(statusWords[invitation.status])}
              </span>
            </p>
            <p class="facts">
              <span>{t(`role.${invitation.role}`)}</span>
              <span>
                {t('invite.sent_at')} <Ago at={invitation.created_at} />
              </span>
              {invitation.status === 'pending' && (
                <span>{t('invite.until', { at: inFull(invitation.expires_at) })}</span>
              )}
            </p>
          </div>
          {invitation.status === 'pending' && may('invitation:revoke') && (
            <Button
              onClick={() => askRevoke(invitation, from)}
              aria-label={t('invite.revoke_named', { email: invitation.email })}
            >
              {t('invite.revoke')}
            </Button>
          )}
        </li>
      )}
    </List>
  </Section>
)
