// What crosses the wire about the audit.
import { z } from 'zod'
import { listOf, PageQuery } from '../../lib/page'
import { Instant } from '../../lib/time'

const word = z.string().min(1).max(64)

export const AuditQuery = PageQuery.extend({
  action: word.optional(),
  /** Id of the user or key that did it. */
  actor: word.optional(),
  /** Id among those it was done to. */
  target: word.optional(),
  /** From this instant on, and before that one. */
  from: Instant.optional(),
  to: Instant.optional(),
})
export type AuditQuery = z.output<typeof AuditQuery>

export const AuditEvent = z.object({
  id: z.string(),
  at: z.string(),
  action: z.string(),
  actor: z.object({ type: z.string(), id: z.string().nullable() }),
  targets: z.array(z.string()),
  outcome: z.enum(['done', 'denied']),
  request_id: z.string().nullable(),
  client: z.string().nullable(),
  change: z.record(z.string(), z.unknown()).nullable(),
  /** Null until sealed, which takes about a second. */
  position: z.number().nullable(),
  hash: z.string().nullable(),
})
export type AuditEvent = z.infer<typeof AuditEvent>
export const AuditList = listOf(AuditEvent)

/**
 * `altered`: a row is not what was sealed · `missing`: one in between is gone · `truncated`: the end is gone ·
 * `dropped`: the whole chain is gone · `forged`: the rows are consistent, but not what was signed ·
 * `rolled_back`: all is consistent, but behind a head that was published, as a restored backup is.
 */
export const Breach = z.object({
  reason: z.enum(['altered', 'missing', 'truncated', 'dropped', 'forged', 'rolled_back']),
  position: z.number(),
})
export type Breach = z.infer<typeof Breach>

const Signed = z.object({
  position: z.number(),
  hash: z.string(),
  signed_at: z.string(),
  /** `signature` is Ed25519 by `public_key` over `signed_text`, both base64url. */
  signed_text: z.string(),
  signature: z.string(),
  public_key: z.string(),
})
export type Signed = z.infer<typeof Signed>

export const Verification = z.object({
  intact: z.boolean(),
  breach: Breach.nullable(),
  /** How far the chain is sealed. */
  head: Signed.nullable(),
})
export type Verification = z.infer<typeof Verification>

export const ExportQuery = z.strictObject({ format: z.enum(['jsonl', 'csv']).default('jsonl') })
export type ExportQuery = z.output<typeof ExportQuery>

/** The first line of an export as JSONL; each other line is an event. With these it can be verified offline. */
export const ExportHead = z.object({
  latchkey_audit: z.literal(1),
  workspace: z.string(),
  /** Null where nothing was pruned; else the rows begin after it. */
  checkpoint: Signed.nullable(),
  head: Signed.nullable(),
})
export type ExportHead = z.infer<typeof ExportHead>
