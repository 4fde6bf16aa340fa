// The audit as it crosses the wire: events, marks with their signatures, and both forms of an export.
import { rfc3339 } from '../../lib/time'
import { type MarkKind, signedText } from './chain'
import type { AuditEvent, ExportHead, Signed } from './model'
import type { EventRow, MarkRow } from './store'
import { markOf } from './verify'

export const presentEvent = (row: EventRow): AuditEvent => ({
  id: row.id,
  at: rfc3339(row.at),
  action: row.action,
  actor: { type: row.actorType, id: row.actorId },
  targets: row.targets,
  outcome: row.outcome,
  request_id: row.requestId,
  client: row.client,
  change: row.change,
  position: row.position,
  hash: row.hash,
})

/** The row that an event on the wire was made from, but for its workspace. */
export const rowOf = (e: AuditEvent): Omit<EventRow, 'workspaceId' | 'chain'> => ({
  id: e.id,
  at: Date.parse(e.at),
  action: e.action,
  actorType: e.actor.type,
  actorId: e.actor.id,
  targets: e.targets,
  outcome: e.outcome,
  requestId: e.request_id,
  client: e.client,
  change: e.change,
  position: e.position,
  hash: e.hash,
})

export const presentMark = (kind: MarkKind, row: MarkRow, publicKey: string): Signed => ({
  position: row.position,
  hash: row.hash,
  signed_at: rfc3339(row.at),
  signed_text: signedText(kind, markOf(row)),
  signature: row.signature,
  public_key: publicKey,
})

// What a spreadsheet would take for a formula is text.
const cell = (value: unknown): string => {
  const text = value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value)
  return `"${(/^[=+\-@\t\r]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`
}

const columns = ['position', 'at', 'action', 'actor_type', 'actor_id', 'targets', 'outcome', 'request_id', 'client']

/** How each form of an export begins, and how it writes one event; a line each. */
export const exportForms = {
  jsonl: {
    type: 'application/jsonl',
    begin: (head: ExportHead) => `${JSON.stringify(head)}\n`,
    line: (event: AuditEvent) => `${JSON.stringify(event)}\n`,
  },
  csv: {
    type: 'text/csv; charset=utf-8; header=present',
    begin: () => `${[...columns, 'change', 'id', 'hash'].join(',')}\r\n`,
    line: (e: AuditEvent) =>
      `${[
        ...[e.position, e.at, e.action, e.actor.type, e.actor.id, e.targets, e.outcome, e.request_id, e.client],
        ...[e.change, e.id, e.hash],
      ]
        .map(cell)
        .join(',')}\r\n`,
  },
}
