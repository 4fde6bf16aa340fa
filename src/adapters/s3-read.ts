// Reading an object of any size: piece after piece, each asked for when the one before has been taken.
import { Failure } from '../errors'
import type { ByteRange } from '../ports'
import type { S3, S3Piece } from './s3'

export const pieceBytes = 256 * 1024
const mostBytes = 512 * 1024

/**
 * The bytes of `range`, all from one and the same object. `first`: its first piece, where it is here already. Pieces grow
 * while they are taken faster than they come, for then the asking is what takes the time; many slow readers take little.
 * @throws Failure `not_found`, also where the object was replaced meanwhile; `unavailable`
 */
export async function* readS3(
  s3: S3,
  key: string,
  { start, end }: ByteRange,
  first?: S3Piece,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let [piece, size] = [first, pieceBytes]
  for (let at = start; at < end; ) {
    const asked = performance.now()
    if (!piece || at > start) piece = await s3.get(key, { start: at, end: Math.min(at + size, end) }, piece?.etag)
    if (piece.bytes.length === 0) throw new Failure('not_found')
    at += piece.bytes.length
    const came = performance.now()
    yield piece.bytes
    size = performance.now() - came < came - asked ? Math.min(size * 2, mostBytes) : pieceBytes
  }
}
