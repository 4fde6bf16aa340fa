// People, their sessions, and how they prove a mailbox.
import { isNull } from 'drizzle-orm'
import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { instant } from './columns'

export const users = sqliteTable('users', {
  id: text().primaryKey(),
  /** Keyed hash of the exact address: identity. */
  addressHash: text('address_hash').notNull().unique(),
  /** The address, encrypted. */
  addressSealed: text('address_sealed').notNull(),
  name: text(),
  locale: text().notNull(),
  createdAt: instant('created_at').notNull(),
})

export const sessions = sqliteTable(
  'sessions',
  {
    id: text().primaryKey(),
    userId: text('user_id').notNull(),
    /** SHA-256 of the secret inside the token: a signature alone opens nothing. */
    secretHash: text('secret_hash').notNull(),
    kid: text().notNull(),
    label: text().notNull(),
    method: text({ enum: ['code', 'link'] }).notNull(),
    place: text(),
    createdAt: instant('created_at').notNull(),
    lastSeenAt: instant('last_seen_at').notNull(),
    /** When the person last proved the mailbox in this session. */
    authAt: instant('auth_at').notNull(),
    /** The absolute end; idleness ends it sooner. */
    expiresAt: instant('expires_at').notNull(),
    revokedAt: instant('revoked_at'),
    /** The known device it was opened on; null for a client without cookies. */
    deviceId: text('device_id'),
  },
  (t) => [
    index('sessions_by_user').on(t.userId, t.createdAt),
    // Who signs in often leaves many that ended: a sign-in looks at those that have not.
    index('sessions_live').on(t.userId, t.createdAt).where(isNull(t.revokedAt)),
  ],
)

/** One proof of a mailbox: two credentials (code, link), one consumption. Holds neither credential. */
export const challenges = sqliteTable(
  'challenges',
  {
    id: text().primaryKey(),
    purpose: text({ enum: ['sign-in', 'step-up', 'email-change', 'account-deletion'] }).notNull(),
    /** The session that asked, which alone redeems it; null at sign-in. */
    sessionId: text('session_id'),
    addressHash: text('address_hash').notNull(),
    mailboxHash: text('mailbox_hash').notNull(),
    addressSealed: text('address_sealed').notNull(),
    bindingHash: text('binding_hash').notNull(),
    kid: text().notNull(),
    attempts: integer().notNull().default(0),
    sends: integer().notNull().default(1),
    transport: text({ enum: ['cookie', 'token'] }).notNull(),
    redirect: text(),
    locale: text().notNull(),
    /** What asked, for the mail: device label and truncated address. */
    askedLabel: text('asked_label').notNull(),
    askedFrom: text('asked_from'),
    createdAt: instant('created_at').notNull(),
    sentAt: instant('sent_at').notNull(),
    expiresAt: instant('expires_at').notNull(),
    consumedAt: instant('consumed_at'),
    outcome: text({ enum: ['consumed', 'attempts', 'superseded'] }),
    /** The known device that asked; null for an unknown one. */
    deviceId: text('device_id'),
  },
  (t) => [
    index('challenges_live').on(t.addressHash).where(isNull(t.outcome)),
    index('challenges_by_expiry').on(t.expiresAt),
  ],
)

/** Mail to be sent, rendered when it is: template, locale and what it tells of, nothing secret. */
export const outbox = sqliteTable(
  'outbox',
  {
    id: text().primaryKey(),
    template: text({
      enum: [
        ...(['sign-in', 'step-up', 'email-change', 'account-deletion'] as const),
        ...(['invitation', 'new-device', 'email-changed', 'account-deleted'] as const),
      ],
    }).notNull(),
    /** Id of what it tells of; where that is gone, the address it goes to, encrypted. */
    about: text().notNull(),
    locale: text().notNull(),
    attempts: integer().notNull().default(0),
    createdAt: instant('created_at').notNull(),
    dueAt: instant('due_at').notNull(),
    sentAt: instant('sent_at'),
    /** Given up: the challenge ended before any hop took the mail. */
    failedAt: instant('failed_at'),
  },
  (t) => [index('outbox_by_due').on(t.sentAt, t.failedAt, t.dueAt)],
)
