// Verifies an export with nothing but the public key: no database, no server, no secret.
import { z } from 'zod'
import { createVerifierOf } from '../../lib/ed25519'
import { fromPieces, type Mark, type MarkKind, readSignedText, signedText } from './chain'
import { AuditEvent, type Breach, ExportHead, type Signed } from './model'
import { rowOf } from './present'
import { breach, createFollower } from './verify'

/** The mark that a signed one says, if one of the keys signed it. */
const openSigned = (
  kind: MarkKind,
  signed: Pick<Signed, 'signed_text' | 'signature'>,
  publicKeys: readonly string[],
): Mark | null => {
  const isSigned = publicKeys.some((key) => createVerifierOf(key)(signed.signed_text, signed.signature))
  return isSigned ? readSignedText(kind, signed.signed_text) : null
}

const Pieces = z.string().transform(fromPieces)
const Published = z.object({ chain: Pieces, hash: Pieces, position: z.int(), at: z.int(), signature: Pieces })

/**
 * Heads that a log published, those alone that one of the keys signed. `lines`: the log, or what `grep audit_head` left.
 */
export const readPublished = (lines: readonly string[], publicKeys: readonly string[]): Mark[] =>
  lines.flatMap((line) => {
    if (!line.includes('"audit_head"')) return []
    const { data: said } = Published.safeParse(JSON.parse(line).audit_head)
    const mark =
      said && openSigned('head', { signed_text: signedText('head', said), signature: said.signature }, publicKeys)
    return mark ? [mark] : []
  })

export type Verified = { events: number; breach: Breach | null }

/**
 * Follows an export (JSONL) from its checkpoint to its head. `published`: heads of any chain whose signatures hold.
 * @throws Error for what is no export.
 */
export const verifyExport = async (
  lines: AsyncIterable<string> | Iterable<string>,
  publicKeys: readonly string[],
  published: readonly Mark[] = [],
): Promise<Verified> => {
  let follower: ReturnType<typeof createFollower> | undefined
  let [head, begins, events]: [Mark | null, number, number] = [null, 0, 0]
  const expected = new Map<number, string>()
  for await (const line of lines) {
    if (line === '') continue
    if (!follower) {
      const said = ExportHead.parse(JSON.parse(line))
      head = said.head && openSigned('head', said.head, publicKeys)
      const checkpoint = said.checkpoint && openSigned('checkpoint', said.checkpoint, publicKeys)
      if (!head || (said.checkpoint && checkpoint?.chain !== head.chain)) return { events, breach: breach('forged', 0) }
      for (const mark of published) if (mark.chain === head.chain) expected.set(mark.position, mark.hash)
      follower = createFollower(checkpoint ?? { position: 0, hash: head.chain })
      begins = follower.reached().position
      continue
    }
    const found = follower.follow(rowOf(AuditEvent.parse(JSON.parse(line))))
    if (found) return { events, breach: found }
    events++
    const { position, hash } = follower.reached()
    if ((expected.get(position) ?? hash) !== hash) return { events, breach: breach('forged', position) }
  }
  if (!follower || !head) throw new Error('This is no export of the audit.')
  const { position, hash } = follower.reached()
  if (position < head.position) return { events, breach: breach('truncated', position + 1) }
  if (position > head.position || hash !== head.hash) return { events, breach: breach('forged', head.position) }
  const newest = Math.max(begins, ...expected.keys())
  return { events, breach: newest > position ? breach('rolled_back', newest) : null }
}
