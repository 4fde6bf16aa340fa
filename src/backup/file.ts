// The outside of a backup: what it is, then its bytes, encrypted where a recipient is named.
import { chunkBytes, createOpener, createSealer, keyBytes, tagBytes } from './cipher'
import type { Sink, Source } from './place'

const magics = { plain: 'latchkey-backup 1 plain\n', sealed: 'latchkey-backup 1 x25519' }
const magicBytes = magics.plain.length

/** What is said of a backup that does not hold, whatever of it does not. */
export const broken = () => new Error('This backup was cut short or altered: nothing of it is used.')

const rawKey = (text: string) => new Uint8Array(Buffer.from(text, 'base64'))

/** Writes into `sink`. `recipient`: a public key, base64; null: in the clear. */
export const createBackupFile = async (sink: Sink, recipient: string | null) => {
  const sealer = recipient === null ? null : createSealer(rawKey(recipient))
  const [buffer, magic] = [Buffer.alloc(chunkBytes), sealer ? magics.sealed : magics.plain]
  let filled = 0
  const flush = async (isLast: boolean) => {
    const chunk = buffer.subarray(0, filled)
    await sink.write(sealer ? sealer.seal(chunk, isLast) : chunk)
    filled = 0
  }
  await sink.write(Buffer.concat([Buffer.from(magic), sealer?.ephemeral ?? new Uint8Array()]))
  return {
    async write(bytes: Uint8Array): Promise<void> {
      for (let at = 0; at < bytes.length; ) {
        // Only once more has come: the last chunk is sealed as the last.
        if (filled === chunkBytes) await flush(false)
        const taken = bytes.subarray(at, at + chunkBytes - filled)
        buffer.set(taken, filled)
        filled += taken.length
        at += taken.length
      }
    },
    async publish(): Promise<void> {
      await flush(true)
      await sink.publish()
    },
  }
}
export type BackupFile = Awaited<ReturnType<typeof createBackupFile>>

/** Takes runs of bytes off pieces of any size; holds no more than a run and a piece. */
const createTaker = (pieces: AsyncIterator<Uint8Array>) => {
  let rest: Uint8Array = new Uint8Array()
  return async (length: number): Promise<Uint8Array> => {
    const run = Buffer.alloc(length)
    for (let at = 0; at < length; ) {
      if (rest.length === 0) {
        const { value, done } = await pieces.next()
        if (done) throw broken()
        rest = value
      }
      const taken = rest.subarray(0, length - at)
      run.set(taken, at)
      rest = rest.subarray(taken.length)
      at += taken.length
    }
    return run
  }
}

const openerOf = async (take: ReturnType<typeof createTaker>, identity: string | null) => {
  if (identity === null)
    throw new Error('This backup is encrypted: LATCHKEY_BACKUP_IDENTITY must hold the private key that opens it.')
  return createOpener(rawKey(identity), await take(keyBytes))
}

const isMagic = (text: string) => text === magics.plain || text === magics.sealed
const magicOf = async (size: number, take: ReturnType<typeof createTaker>) =>
  size < magicBytes ? '' : Buffer.from(await take(magicBytes)).toString('latin1')

/** What kind of backup it is, by how it begins; null for what is none. */
export const kindOf = async ({ size, bytes }: Source): Promise<'plain' | 'sealed' | null> => {
  const pieces = bytes[Symbol.asyncIterator]()
  const magic = await magicOf(size, createTaker(pieces)).finally(() => pieces.return?.())
  return isMagic(magic) ? (magic === magics.sealed ? 'sealed' : 'plain') : null
}

/** The inside of a backup, chunk by chunk. @throws Error, as a sentence, for what is none, was altered or is not for us. */
export async function* readBackupFile({ size, bytes }: Source, identity: string | null): AsyncGenerator<Uint8Array> {
  const pieces = bytes[Symbol.asyncIterator]()
  try {
    const take = createTaker(pieces)
    const magic = await magicOf(size, take)
    if (!isMagic(magic)) throw new Error('This is no backup of Latchkey.')
    const opener = magic === magics.sealed ? await openerOf(take, identity) : null
    const step = chunkBytes + (opener ? tagBytes : 0)
    let left = size - magicBytes - (opener ? keyBytes : 0)
    for (let isLast = false; !isLast; left -= step) {
      isLast = left <= step
      const chunk = await take(Math.max(0, Math.min(step, left)))
      yield opener ? openChunk(opener, chunk, isLast) : chunk
    }
  } finally {
    await pieces.return?.()
  }
}

const openChunk = (opener: ReturnType<typeof createOpener>, chunk: Uint8Array, isLast: boolean) => {
  try {
    return opener(chunk, isLast)
  } catch {
    throw new Error('This backup does not open: it was cut short or altered, or is for another private key.')
  }
}
