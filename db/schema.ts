// Every table, read top to bottom. Instants are ms since 1970 UTC. Held equal to the migrations by test/database.test.ts.
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'
import type { WorkspaceId } from '../src/permissions'

const workspaceId = () => integer('workspace_id').$type<WorkspaceId>().notNull()
const instant = (name: string) => integer(name)

// --- the instance -----------------------------------------------------------------------------------------------

/** Facts of this instance: `instance_id`, `generation`. */
export const meta = sqliteTable('meta', { name: text().primaryKey(), value: text().notNull() })

/** The program's own keys, each random and wrapped by the master key; several of one purpose make a ring. */
export const programKeys = sqliteTable('program_keys', {
  kid: text().primaryKey(),
  purpose: text().notNull(),
  wrapped: text().notNull(),
  createdAt: instant('created_at').notNull(),
})

/** Always empty: an insert into it fails its batch (CHECK), which is how a statement says "the claim took no row". */
export const guards = sqliteTable('guards', { failed: integer().notNull() })

/** Who may run which background work, and until when. */
export const leases = sqliteTable('leases', {
  name: text().primaryKey(),
  holder: text().notNull(),
  until: instant('until').notNull(),
})

/** What has been taken away, in order; the overlay in memory follows it. `subject` is `<kind>:<id>`. */
export const revocations = sqliteTable('revocations', {
  seq: integer().primaryKey({ autoIncrement: true }),
  subject: text().notNull(),
  createdAt: instant('created_at').notNull(),
})

// --- people and their sessions ----------------------------------------------------------------------------------

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
  },
  (t) => [index('sessions_by_user').on(t.userId, t.createdAt)],
)

/** One proof of a mailbox: two credentials (code, link), one consumption. Holds neither credential. */
export const challenges = sqliteTable(
  'challenges',
  {
    id: text().primaryKey(),
    purpose: text({ enum: ['sign-in'] }).notNull(),
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
  },
  (t) => [index('challenges_by_address').on(t.addressHash, t.createdAt), index('challenges_by_expiry').on(t.expiresAt)],
)

/** Mail to be sent, rendered when it is: template, challenge and locale, nothing secret. */
export const outbox = sqliteTable(
  'outbox',
  {
    id: text().primaryKey(),
    template: text({ enum: ['sign-in'] }).notNull(),
    challengeId: text('challenge_id').notNull(),
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

// --- tenants: from here on every primary key starts with workspace_id -------------------------------------------------

/** The directory of tenants, itself global: public id to internal number. */
export const workspaces = sqliteTable('workspaces', {
  /** Random, so that it is known before the row is, on any node. */
  workspaceId: integer('workspace_id').$type<WorkspaceId>().primaryKey(),
  id: text().notNull().unique(),
  name: text().notNull(),
  createdBy: text('created_by').notNull(),
  createdAt: instant('created_at').notNull(),
})

export const projects = sqliteTable(
  'projects',
  {
    workspaceId: workspaceId(),
    id: text().notNull(),
    slug: text().notNull(),
    name: text().notNull(),
    restricted: integer({ mode: 'boolean' }).notNull().default(false),
    isDefault: integer('is_default', { mode: 'boolean' }).notNull().default(false),
    createdAt: instant('created_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.id] }),
    uniqueIndex('projects_by_slug').on(t.workspaceId, t.slug),
    index('projects_by_age').on(t.workspaceId, t.createdAt),
  ],
)

export const members = sqliteTable(
  'members',
  {
    workspaceId: workspaceId(),
    userId: text('user_id').notNull(),
    role: text({ enum: ['viewer', 'member', 'admin'] }).notNull(),
    createdAt: instant('created_at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.workspaceId, t.userId] }), index('members_by_user').on(t.userId)],
)

export const apiKeys = sqliteTable(
  'api_keys',
  {
    workspaceId: workspaceId(),
    id: text().notNull(),
    /** HMAC-SHA-256 of the token under the pepper `kid`. */
    tokenHash: text('token_hash').notNull(),
    kid: text().notNull(),
    hint: text().notNull(),
    name: text().notNull(),
    level: text({ enum: ['read', 'write', 'delete', 'admin'] }).notNull(),
    environment: text({ enum: ['live', 'test', 'dev'] }).notNull(),
    /** Ids of the projects it may enter; null means all. */
    projects: text({ mode: 'json' }).$type<string[]>(),
    createdBy: text('created_by').notNull(),
    createdAt: instant('created_at').notNull(),
    lastUsedAt: instant('last_used_at'),
    expiresAt: instant('expires_at'),
    revokedAt: instant('revoked_at'),
  },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.id] }),
    uniqueIndex('api_keys_by_token').on(t.tokenHash),
    index('api_keys_by_age').on(t.workspaceId, t.createdAt),
  ],
)

export const media = sqliteTable(
  'media',
  {
    workspaceId: workspaceId(),
    id: text().notNull(),
    projectId: text('project_id').notNull(),
    name: text().notNull(),
    size: integer().notNull(),
    /** What the sender said, and what the first bytes show; only the latter is ever served. */
    declaredType: text('declared_type').notNull(),
    type: text().notNull(),
    sha256: text().notNull(),
    /** Random key of the immutable object in the blob store. */
    blob: text().notNull(),
    createdBy: text('created_by').notNull(),
    createdAt: instant('created_at').notNull(),
    deletedAt: instant('deleted_at'),
  },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.id] }),
    uniqueIndex('media_by_id').on(t.id),
    uniqueIndex('media_by_blob').on(t.blob),
    index('media_by_age').on(t.workspaceId, t.projectId, t.createdAt, t.id),
    index('media_deleted').on(t.deletedAt),
  ],
)

/** Who did what to what. `workspace_id` 0 stands for no workspace: then the chain is the user's or the instance's. */
export const auditEvents = sqliteTable(
  'audit_events',
  {
    workspaceId: workspaceId(),
    id: text().notNull(),
    /** `workspace:<id>`, `user:<id>` or `instance`. */
    chain: text().notNull(),
    action: text().notNull(),
    actorType: text('actor_type').notNull(),
    actorId: text('actor_id'),
    targets: text({ mode: 'json' }).$type<string[]>().notNull(),
    outcome: text({ enum: ['done', 'denied'] }).notNull(),
    requestId: text('request_id'),
    client: text(),
    change: text({ mode: 'json' }).$type<Record<string, unknown>>(),
    at: instant('at').notNull(),
    /** Given by the sealer: place in its chain from 1, and SHA-256 over the row and the hash before it. */
    position: integer(),
    hash: text(),
  },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.id] }),
    uniqueIndex('audit_events_by_position').on(t.chain, t.position),
    index('audit_events_by_time').on(t.workspaceId, t.at),
  ],
)

/** How far each chain is sealed, signed: a chain that was cut shorter no longer reaches its head. One row counts the chains. */
export const auditHeads = sqliteTable('audit_heads', {
  chain: text().primaryKey(),
  position: integer().notNull(),
  hash: text().notNull(),
  at: instant('at').notNull(),
  kid: text().notNull(),
  /** Ed25519 over chain, position, hash and instant, base64url. */
  signature: text().notNull(),
})
