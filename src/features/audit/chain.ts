// What a chain's hashes and signatures are made of. Offline verification needs this file, the rows and the public key.
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
export type Head = { chain: string; position: number; hash: string; at: number }

/** What stands in the first row's place for a predecessor. */
export const genesis = (chain: string): string => sha256(`latchkey audit chain ${chain}`)

/** SHA-256 over the predecessor's hash, the position and the row, as one JSON array; base64url. */
export const hashOf = (previous: string, position: number, e: Event): string =>
  sha256(
    JSON.stringify([
      ...[previous, position, e.id, e.at, e.action, e.actorType, e.actorId],
      ...[e.targets, e.outcome, e.requestId, e.client, e.change],
    ]),
  )

/** What is signed of a head. It names its chain by the genesis hash, since chains are named by internal numbers. */
export const signedText = ({ chain, position, hash, at }: Head): string =>
  ['latchkey-audit-head', genesis(chain), position, hash, at].join('\n')
