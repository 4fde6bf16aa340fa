// Everything about people, put together: how they come in, prove who they are, join, move and leave.

import type { Config } from '../config'
import { accountErasure } from '../features/account/erasure'
import { accountService } from '../features/account/service'
import type { AuditService } from '../features/audit/service'
import { createCredentials } from '../features/auth/credentials'
import { createDefence } from '../features/auth/defence'
import type { Humans } from '../features/auth/human'
import { createSignUpPolicy, signIn } from '../features/auth/policy'
import { authService } from '../features/auth/service'
import { deviceService } from '../features/devices/service'
import { invitationService } from '../features/invitations/service'
import { createLetters } from '../features/mail/letters'
import { mailService } from '../features/mail/service'
import { memberService } from '../features/members/service'
import type { QuotaService } from '../features/quotas/service'
import { sessionService } from '../features/sessions/service'
import type { WorkspaceService } from '../features/workspaces/service'
import type { Keyring } from '../keyring'
import type { Addresses } from '../keyring/addresses'
import { createRedirects } from '../lib/redirect'
import type { Clock, Database, Log, Mailer, Tokens } from '../ports'
import type { NewReceipt } from '../receipt'
import type { Unaudited, Write } from '../write'

type Parts = {
  base: { db: Database; write: Write; unaudited: Unaudited; clock: Clock }
  addresses: Addresses
  keyring: Keyring
  tokens: Tokens
  mailer: Mailer
  log: Log
  humans: Humans
  workspaces: WorkspaceService
  audit: Pick<AuditService, 'ofPerson'>
  quotas: QuotaService
  endKeysMadeBy: Parameters<typeof memberService>[0]['endKeysMadeBy']
  newReceipt: NewReceipt
  /** Says that mail is waiting, so that it goes out now. */
  mailWaits: () => void
}

export const createPeople = (config: Config, parts: Parts) => {
  const { base, addresses, mailWaits, workspaces, humans, log } = parts
  const { mayHold, maySignUp } = createSignUpPolicy(config, (exact) => invitations.isInvited(exact))
  const enqueueMail: typeof mail.enqueue = (...told) => mail.enqueue(...told)
  const everything = { limit: 100, cursor: null }

  const devices = deviceService(base)
  const { newReceipt } = parts
  const sessions = sessionService({ ...base, tokens: parts.tokens, devices, newReceipt, ...config.sessions })
  const account = accountService({
    ...{ ...base, addresses, enqueueMail, mayHold, workspacesOf: workspaces.list },
    endSessions: (userId) => [...sessions.endAllOf(userId), devices.forgetAll(userId, null)],
    ask: (...question) => auth.ask(...question),
    erase: async (person) => {
      await erasure.erase(person)
      mailWaits()
    },
    heldElsewhere: async (person) => ({
      workspaces: await workspaces.list(person.id, 'with deleted'),
      invitations: await invitations.offers(person),
      sessions: await sessions.held(person),
      devices: (await devices.list(person, undefined, everything)).data,
      events: await parts.audit.ofPerson(person),
    }),
  })
  const invitations = invitationService({
    ...{ ...base, addresses, enqueueMail, mailWaits, addressHashOf: account.addressHashOf },
    mailed: (mailboxHash, told) =>
      defence.mailed({ purpose: 'sign-in', mailboxHash, deviceId: 'invitations', sessionId: null }, null, told),
    quotas: parts.quotas,
  })
  const { endKeysMadeBy } = parts
  const members = memberService({ ...base, addresses, endKeysMadeBy, endInvitationsBy: invitations.endBy, newReceipt })
  const erasure = accountErasure({
    ...{ ...base, addresses, enqueueMail },
    endings: [
      ({ id, addressHash }) => [auth.erase(id, addressHash)],
      ({ id }) => members.leaveAll(id),
      ({ addressHash }) => invitations.erase(addressHash),
      ({ id }) => sessions.erase(id),
    ],
  })
  const countsMails = config.rateLimits !== 'off'
  const defence = createDefence({ ...base, log, account, devices, humans, countsMails, codeFormat: config.codeFormat })
  const auth = authService({
    ...{
      ...base,
      addresses,
      credentials: createCredentials(parts.keyring, config.codeFormat),
      account,
      sessions,
      workspaces,
      devices,
    },
    ...{ maySignUp, isInvited: invitations.isInvited, erasure: erasure.part, enqueueMail, mailWaits },
    defence,
    mayLead: createRedirects(config.redirects),
    policy: { ...signIn, startFloorMs: config.startFloorMs },
  })
  const render = createLetters({ auth, account, invitations, sessions, erasure })
  const mail = mailService({ ...base, log, mailer: parts.mailer, origin: config.origin, render })

  /** Forgets what has had its time. */
  const sweep = () => Promise.all([auth.sweep(), mail.sweep(), sessions.sweep(), account.sweep(), invitations.sweep()])

  const { isBreakerOpen: isGuessBreakerOpen } = defence
  return { account, devices, sessions, invitations, members, auth, mail, sweepPeople: sweep, isGuessBreakerOpen }
}
