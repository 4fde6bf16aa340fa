// Blobs on a local disk: staged in one folder, published into another by rename. Runs on Bun.

import * as fs from 'node:fs'
import { access, constants, opendir, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Failure } from '../errors'
import { isBlobKey } from '../lib/blob-key'
import { createLru } from '../lib/lru'
import { free } from '../lib/memory'
import type { Blobs, ByteRange, Hold, StagedBlob } from '../ports'
import { alreadyPublished } from './already-published'
import { demandRoom, freeBytes, spareBytes } from './disk-room'
import { demandFolder } from './folder'
import { pour } from './pour'

// The calls that write, and the room they leave. Numbers, not FileHandles: one that is collected while open would end the process.
export const systemCalls = {
  open: promisify(fs.open),
  write: (fd: number, bytes: Uint8Array, offset: number, at: number) =>
    promisify(fs.write)(fd, bytes, offset, bytes.length - offset, at),
  sync: promisify(fs.fsync),
  close: promisify(fs.close),
  rename,
  free: freeBytes,
}
/** A test passes some that fail. */
export type DiskCalls = typeof systemCalls

type Options = { folder: string; minFreeBytes?: number; calls?: DiskCalls }

// What is this small is read synchronously: a hop to another thread takes longer than the read.
// A sealed segment is a little over 64 KiB. Objects never change, so those that are asked for again stay in memory.
const maxReadBytes = 72 * 1024
const maxKept = 128
// Above this a body is a stream, which can be cut; up to it the system sends it from the file.
const maxSliceBytes = 16 * 1024 * 1024
const pullBytes = 64 * 1024

const codeOf = (error: unknown) => (error as { code?: unknown } | null)?.code

const findFile = (path: string): number | undefined => {
  try {
    return fs.openSync(path, 'r')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}
// One for all of them: what is read into it is copied from it before anything else runs.
const scratch = Buffer.allocUnsafeSlow(maxReadBytes)
/** The bytes of a file, if there is one of that size. */
const readNow = (path: string, size: number, { start, end }: ByteRange): Blob | undefined => {
  const [fd, length] = [findFile(path), end - start]
  if (fd === undefined) return undefined
  try {
    if (fs.fstatSync(fd).size !== size || fs.readSync(fd, scratch, 0, length, start) !== length) return undefined
    return new Blob([scratch.subarray(0, length)])
  } finally {
    fs.closeSync(fd)
  }
}
const read = promisify(fs.read)
/** Bytes of an open file, in memory of their own. */
const readAt = async (fd: number, { start, end }: ByteRange): Promise<Uint8Array<ArrayBuffer>> => {
  const bytes = new Uint8Array(end - start)
  for (let at = 0; at < bytes.length; ) {
    const { bytesRead } = await read(fd, bytes, at, bytes.length - at, start + at)
    if (bytesRead === 0) throw new Error('an object is shorter than its size')
    at += bytesRead
  }
  return bytes
}

// Memory is given back before anybody is waited for: left to the collector, it piles up (200 slow readers took 240 MB at
// their peak, and now take 120).
const pulls = (path: string, { start, end }: ByteRange, hold: () => Hold): ReadableStream<Uint8Array> =>
  pour(async (write) => {
    const [fd, { signal, release }] = [await systemCalls.open(path, 'r'), hold()]
    try {
      for (let at = start; at < end; at += pullBytes) {
        const bytes = await readAt(fd, { start: at, end: Math.min(at + pullBytes, end) })
        signal.throwIfAborted()
        const written = write(bytes)
        free(bytes)
        await written
      }
    } finally {
      release()
      await systemCalls.close(fd)
    }
  })

const lookBytes = 1 << 20
type Three = [string, string, string]

/** The file, beside the objects, that says whose they are. */
export const ownerFile = 'owner'

/** `folder` is made if it is missing. Writing stops with `minFreeBytes` left on its disk. */
export const createDiskBlobs = ({ folder, minFreeBytes = spareBytes, calls = systemCalls }: Options): Blobs => {
  const [objects, staged, owner] = ['objects', 'staged', ownerFile].map((name) => join(folder, name)) as Three
  for (const path of [objects, staged]) demandFolder(path)

  const kept = createLru<string, Blob>(maxKept)
  const inside = (parent: string, key: string): string => {
    if (!isBlobKey(key)) throw new Error('not the key of an object')
    return `${parent}/${key}`
  }
  const orFull = <T>(work: Promise<T>): Promise<T> =>
    work.catch((cause) => {
      throw ['ENOSPC', 'EDQUOT'].includes(String(codeOf(cause)))
        ? new Failure('disk_full', undefined, { cause })
        : cause
    })
  const flushFolder = async (path: string): Promise<void> => {
    const fd = await calls.open(path, 'r')
    await calls.sync(fd).finally(() => calls.close(fd))
  }

  const leaveFree = (bytes: number) => demandRoom(calls.free(staged), minFreeBytes + bytes)

  /** A part that is open for writing after its first `size` bytes. */
  const createStaged = (part: string, object: string, opened: number, size: number): StagedBlob => {
    let [fd, end, looked, published]: [number | undefined, number, number, boolean] = [opened, size, size, false]
    const close = async () => {
      const open = fd
      fd = undefined
      if (open !== undefined) await calls.close(open)
    }
    const sync = async () => {
      if (fd === undefined) throw new Error('written after its end')
      await orFull(calls.sync(fd))
    }
    return {
      async write(chunk) {
        // Again and again: others write too, and nobody says beforehand how much comes.
        if (end + chunk.length - looked >= lookBytes) {
          looked = end
          await leaveFree(chunk.length)
        }
        for (let offset = 0; offset < chunk.length; ) {
          if (fd === undefined) throw new Error('written after its end')
          const { bytesWritten } = await orFull(calls.write(fd, chunk, offset, end))
          offset += bytesWritten
          end += bytesWritten
        }
      },
      async save() {
        await sync()
        // Its name must be as durable as its bytes.
        if (size === 0) await flushFolder(staged)
        return String(end)
      },
      async publish() {
        await sync()
        await close()
        await orFull(calls.rename(part, object))
        published = true
        await flushFolder(objects)
      },
      pause: close,
      async discard() {
        if (published) return
        await close()
        await rm(part, { force: true })
      },
    }
  }
  const stage = async (key: string, expectedBytes: number | null): Promise<StagedBlob> => {
    const [part, object] = [inside(staged, key), inside(objects, key)]
    await leaveFree(expectedBytes ?? 0)
    const fd = await orFull(calls.open(part, 'wx', 0o600))
    return createStaged(part, object, fd, 0)
  }
  const resume = async (key: string, saved: string): Promise<StagedBlob> => {
    const [part, object, size] = [inside(staged, key), inside(objects, key), Number(saved)]
    const found = fs.statSync(part, { throwIfNoEntry: false })
    if (!found && fs.existsSync(object)) return alreadyPublished
    if (!found || found.size < size) throw new Failure('not_found')
    await truncate(part, size)
    return createStaged(part, object, await calls.open(part, 'r+'), size)
  }

  async function* olderThan(parent: string, before: number): AsyncIterable<string> {
    for await (const { name } of await opendir(parent)) {
      const found = isBlobKey(name) ? await stat(join(parent, name)).catch(() => null) : null
      if (found && found.mtimeMs < before) yield name
    }
  }

  return {
    stage,
    resume,
    async open(key, size, range, hold) {
      const length = range.end - range.start
      const isWhole = length === size
      const known = isWhole ? kept.get(key) : undefined
      if (known?.size === size) return known
      const path = inside(objects, key)
      const small = length <= maxReadBytes ? readNow(path, size, range) : undefined
      if (small && isWhole) kept.set(key, small)
      if (small) return small
      if (fs.statSync(path, { throwIfNoEntry: false })?.size !== size) throw new Failure('not_found')
      return length <= maxSliceBytes ? Bun.file(path).slice(range.start, range.end) : pulls(path, range, hold)
    },
    async read(key, range) {
      const fd = fs.openSync(inside(objects, key), 'r')
      return readAt(fd, range).finally(() => fs.closeSync(fd))
    },
    remove: (key) => {
      kept.delete(key)
      return rm(inside(objects, key), { force: true })
    },
    list: (before) => olderThan(objects, before),
    async discardStaged(before, signal) {
      let count = 0
      for (const key of await Array.fromAsync(olderThan(staged, before))) {
        if (signal?.aborted) break
        await rm(join(staged, key), { force: true })
        count++
      }
      return count
    },
    owner: () =>
      readFile(owner, 'utf8').catch((error) => {
        if (codeOf(error) === 'ENOENT') return null
        throw error
      }),
    async setOwner(text) {
      await writeFile(`${owner}.part`, text, { mode: 0o600, flush: true })
      await rename(`${owner}.part`, owner)
      await flushFolder(folder)
    },
    async check() {
      await leaveFree(0)
      for (const path of [objects, staged]) await access(path, constants.R_OK | constants.W_OK)
    },
  }
}
