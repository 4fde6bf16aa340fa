// Where backups lie: under a name in a folder or a bucket, each whole or not there.
import { mkdirSync, rmSync } from 'node:fs'
import { type FileHandle, lstat, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { demandRoom, orFull } from './room'

/** One being written. Nothing has its name before `publish`, which comes once all of it is durable. */
export type Sink = {
  write(bytes: Uint8Array): Promise<void>
  publish(): Promise<void>
  /** Forgets it. Safe to call twice. */
  discard(): Promise<void>
}
/** One that is there: its bytes in order, in pieces of any size. */
export type Source = { size: number; bytes: AsyncIterable<Uint8Array> }

export type Place = {
  /** `expectedBytes`: at most how many come, or a little more. @throws Error, as a sentence, where there is no room for them. */
  create(name: string, expectedBytes: number): Promise<Sink>
  open(name: string): Promise<Source>
  /** Whether anything has that name, be it a backup or not. */
  has(name: string): Promise<boolean>
  /** What is whole, in order of names. */
  list(): Promise<string[]>
  /** Safe to call for what is not there. */
  remove(name: string): Promise<void>
  /** Forgets what was begun under names of that beginning long ago, and never became whole. */
  sweep(beginning: string): Promise<void>
}

export const noBackup = () => new Error('There is no backup of that name that can be read.')
const noPlace = () => new Error('No file can be made where the backup should be.')

/** Makes what a folder names as durable as what it names. */
export const syncFolder = async (path: string): Promise<void> => {
  const folder = await open(path, 'r')
  await folder.sync().finally(() => folder.close())
}

export const writeAll = async (file: FileHandle, bytes: Uint8Array): Promise<void> => {
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten
}

const part = '.part'
// Last written to then: what is under way is written to all the time.
const unfinishedAfterMs = 3_600_000
const pieceBytes = 256 * 1024

const openToRead = (path: string) =>
  open(path, 'r').catch(() => {
    throw noBackup()
  })

async function* readAll(path: string): AsyncGenerator<Uint8Array> {
  const file = await openToRead(path)
  try {
    for (;;) {
      const piece = Buffer.alloc(pieceBytes)
      const { bytesRead } = await file.read(piece, 0, pieceBytes)
      if (bytesRead === 0) return
      yield piece.subarray(0, bytesRead)
    }
  } finally {
    await file.close()
  }
}

/** A folder, which is made if it is missing. */
export const createFolderPlace = (folder: string): Place => ({
  async create(name, expectedBytes) {
    const [path, unfinished] = [join(folder, name), join(folder, name + part)]
    const forget = () => rmSync(unfinished, { force: true })
    const begin = async () => {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      await rm(unfinished, { force: true })
      // Also where a signal ends all.
      process.once('exit', forget)
      return open(unfinished, 'wx', 0o600)
    }
    const file = await begin().catch(() => {
      process.off('exit', forget)
      throw noPlace()
    })
    const discard = async () => {
      await file.close().catch(() => {})
      await rm(unfinished, { force: true })
      process.off('exit', forget)
    }
    await demandRoom(folder, expectedBytes).catch(async (error) => {
      await discard()
      throw error
    })
    return {
      write: (bytes) => writeAll(file, bytes).catch(orFull),
      async publish() {
        await file.sync()
        await file.close()
        await rename(unfinished, path)
        process.off('exit', forget)
        await syncFolder(folder)
      },
      discard,
    }
  },
  async open(name) {
    // Opened again once it is read, since a reading that never begins would not close it.
    const path = join(folder, name)
    const found = await stat(path).catch(() => null)
    if (!found?.isFile()) throw noBackup()
    await (await openToRead(path)).close()
    return { size: found.size, bytes: readAll(path) }
  },
  has: (name) =>
    lstat(join(folder, name)).then(
      () => true,
      () => false,
    ),
  async list() {
    const names = await readdir(folder).catch((error: { code?: string }) => {
      if (error.code === 'ENOENT') return []
      throw new Error('The folder of the backups cannot be read.')
    })
    return names.filter((name) => !name.endsWith(part)).sort()
  },
  remove: (name) => rm(join(folder, name), { force: true }),
  async sweep(beginning) {
    const before = Date.now() - unfinishedAfterMs
    for (const name of await readdir(folder)) {
      if (!name.startsWith(beginning) || !name.endsWith(part)) continue
      const found = await stat(join(folder, name)).catch(() => null)
      if (found && found.mtimeMs < before) await rm(join(folder, name), { force: true })
    }
  },
})
