// The outside of a backup: one file, written under another name until it is whole, encrypted where a recipient is named.
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { chunkBytes, createOpener, createSealer, keyBytes, tagBytes } from './cipher'

const magics = { plain: 'latchkey-backup 1 plain\n', sealed: 'latchkey-backup 1 x25519' }
const magicBytes = magics.plain.length

/** What is said of a backup that does not hold, whatever of it does not. */
export const broken = () => new Error('This backup was cut short or altered: nothing of it is used.')

const rawKey = (text: string) => new Uint8Array(Buffer.from(text, 'base64'))

const writeAll = async (file: FileHandle, bytes: Uint8Array) => {
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten
}

/** Makes what a folder names as durable as what it names. */
export const syncFolder = async (path: string): Promise<void> => {
  const folder = await open(path, 'r')
  await folder.sync().finally(() => folder.close())
}

/** Writes `path`, which appears whole with `publish` or not at all. `recipient`: a public key, base64; null: in the clear. */
export const createBackupFile = async (path: string, recipient: string | null) => {
  const part = `${path}.part`
  const sealer = recipient === null ? null : createSealer(rawKey(recipient))
  await rm(part, { force: true })
  const file = await open(part, 'wx', 0o600).catch(() => {
    throw new Error('No file can be made where the backup should be.')
  })
  const [buffer, magic] = [Buffer.alloc(chunkBytes), sealer ? magics.sealed : magics.plain]
  let filled = 0
  const flush = async (isLast: boolean) => {
    const chunk = buffer.subarray(0, filled)
    await writeAll(file, sealer ? sealer.seal(chunk, isLast) : chunk)
    filled = 0
  }
  await writeAll(file, Buffer.concat([Buffer.from(magic), sealer?.ephemeral ?? new Uint8Array()]))
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
      await file.sync()
      await file.close()
      await rename(part, path)
      await syncFolder(dirname(path))
    },
    async discard(): Promise<void> {
      await file.close().catch(() => {})
      await rm(part, { force: true })
    },
  }
}
export type BackupFile = Awaited<ReturnType<typeof createBackupFile>>

const readExactly = async (file: FileHandle, length: number, position: number): Promise<Uint8Array> => {
  const bytes = Buffer.alloc(length)
  for (let at = 0; at < length; ) {
    const { bytesRead } = await file.read(bytes, at, length - at, position + at)
    if (bytesRead === 0) throw broken()
    at += bytesRead
  }
  return bytes
}

const openerOf = async (file: FileHandle, identity: string | null) => {
  if (identity === null)
    throw new Error('This backup is encrypted: LATCHKEY_BACKUP_IDENTITY must hold the private key that opens it.')
  return createOpener(rawKey(identity), await readExactly(file, keyBytes, magicBytes))
}

/** The inside of a backup, chunk by chunk. @throws Error, as a sentence, for what is none, was altered or is not for us. */
export async function* readBackupFile(path: string, identity: string | null): AsyncGenerator<Uint8Array> {
  const file = await open(path, 'r').catch(() => {
    throw new Error('There is no backup of that name that can be read.')
  })
  try {
    const { size } = await file.stat()
    const magic = size < magicBytes ? '' : Buffer.from(await readExactly(file, magicBytes, 0)).toString('latin1')
    if (magic !== magics.plain && magic !== magics.sealed) throw new Error('This is no backup of Latchkey.')
    const opener = magic === magics.sealed ? await openerOf(file, identity) : null
    const step = chunkBytes + (opener ? tagBytes : 0)
    for (let at = magicBytes + (opener ? keyBytes : 0), isLast = false; !isLast; at += step) {
      isLast = at + step >= size
      const chunk = await readExactly(file, Math.max(0, Math.min(step, size - at)), at)
      yield opener ? openChunk(opener, chunk, isLast) : chunk
    }
  } finally {
    await file.close()
  }
}

const openChunk = (opener: ReturnType<typeof createOpener>, chunk: Uint8Array, isLast: boolean) => {
  try {
    return opener(chunk, isLast)
  } catch {
    throw new Error('This backup does not open: it was cut short or altered, or is for another private key.')
  }
}
