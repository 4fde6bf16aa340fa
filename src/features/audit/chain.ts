// What a chain's hashes and signatures are made of. Offline verification needs this, the rows and the public key.
import type { auditEvents } from '../../../db/schema'
import { sha256 } from '../../lib/crypto'
import type { WorkspaceId } from '../../permissions'

/** The head whose position is the number of chains: without it a chain could go together with its own. */
export const allChains = 'chains'

export const chainOf = (workspaceId: WorkspaceId): string => `workspace:${workspaceId}`

/** The workspace whose rows a chain has; 0, which is none, for chains of users and of the instance. */
export const workspaceOf = (chain: string): WorkspaceId =>
  (chain.startsWith('workspace:') ? Number(chain.slice('workspace:'.length)) : 0) as WorkspaceId

export type Event = Omit<typeof auditEvents.$inferSelect, 'workspaceId' | 'chain' | 'position' | 'hash'>

/**
 * What stands in the first row's place for a predecessor; outside, a chain goes by it, since its name is internal. Whoever
 * does not know the instance's own id, which is random, cannot find the name by trying.
 */
export const genesisOf = (chain: string, instance: string): string =>
  sha256(`latchkey audit chain ${chain} ${instance}`)

/** SHA-256 over the predecessor's hash, the position and the row, as one JSON array; base64url. */
export const hashOf = (previous: string, position: number, e: Event): string =>
  sha256(
    JSON.stringify([
      ...[previous, position, e.id, e.at, e.action, e.actorType, e.actorId],
      ...[e.targets, e.outcome, e.requestId, e.client, e.change],
    ]),
  )

/** A place in a chain that is vouched for: its head, or the checkpoint up to which it was pruned. `chain`: its genesis. */
export type Mark = { chain: string; position: number; hash: string; at: number }
export type MarkKind = 'head' | 'checkpoint'

/** What is signed of a mark. */
export const signedText = (kind: MarkKind, { chain, position, hash, at }: Mark): string =>
  [`latchkey-audit-${kind}`, chain, position, hash, at].join('\n')

/** As the log shows it: 43 characters without a break look like a secret there. */
export const inPieces = (text: string): string => text.replace(/.{32}(?=.)/g, '$&.')
export const fromPieces = (text: string): string => text.replaceAll('.', '')

/** The mark that a signed text of that kind says; null for any other text. */
export const readSignedText = (kind: MarkKind, text: string): Mark | null => {
  const [word, chain = '', position, hash = '', at, ...more] = text.split('\n')
  const mark = { chain, position: Number(position), hash, at: Number(at) }
  return more.length === 0 && word === `latchkey-audit-${kind}` && signedText(kind, mark) === text ? mark : null
}
