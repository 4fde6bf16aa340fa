// How accounts change hands and people come in: addresses that were left, invitations.
import { index, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'
import { instant, workspaceId } from './columns'

/** An address that an account had: until it expires, a sign-in with it takes the change back. */
export const formerAddresses = sqliteTable(
  'former_addresses',
  {
    id: text().primaryKey(),
    userId: text('user_id').notNull(),
    addressHash: text('address_hash').notNull(),
    addressSealed: text('address_sealed').notNull(),
    createdAt: instant('created_at').notNull(),
    expiresAt: instant('expires_at').notNull(),
    /** The change was taken back. */
    endedAt: instant('ended_at'),
  },
  (t) => [
    index('former_addresses_by_address').on(t.addressHash, t.expiresAt),
    index('former_addresses_by_user').on(t.userId),
  ],
)

/** An offer of a role to whoever proves an address. Proves nothing itself. */
export const invitations = sqliteTable(
  'invitations',
  {
    workspaceId: workspaceId(),
    id: text().notNull(),
    addressHash: text('address_hash').notNull(),
    addressSealed: text('address_sealed').notNull(),
    role: text({ enum: ['viewer', 'member', 'admin'] }).notNull(),
    /** Ids of the restricted projects it opens. */
    projects: text({ mode: 'json' }).$type<string[]>().notNull(),
    locale: text().notNull(),
    invitedBy: text('invited_by').notNull(),
    createdAt: instant('created_at').notNull(),
    expiresAt: instant('expires_at').notNull(),
    acceptedAt: instant('accepted_at'),
    revokedAt: instant('revoked_at'),
  },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.id] }),
    uniqueIndex('invitations_by_id').on(t.id),
    index('invitations_by_address').on(t.addressHash),
    index('invitations_by_age').on(t.workspaceId, t.createdAt, t.id),
    index('invitations_by_inviter').on(t.invitedBy, t.createdAt),
  ],
)
