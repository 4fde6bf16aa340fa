// The disk as a blob store: the contract, and what it does when the disk fails at each step.
import { describe, expect, test } from 'bun:test'
import { existsSync, readdirSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { createDiskBlobs, type DiskCalls, systemCalls } from '../src/adapters/blobs-disk'
import { randomBase62 } from '../src/lib/id'
import { blobsContract, newRight, put, take } from './contract/blobs'
import { failureOf } from './contract/database'
import { testApp } from './support'
import { newFolder } from './template'

blobsContract('blobs on disk', async () => createDiskBlobs({ folder: newFolder() }))

const refuse = (code: string) => async () => {
  throw Object.assign(new Error(`${code}: /a/path/of/ours`), { code })
}
const failing = (calls: Partial<DiskCalls>): DiskCalls => ({ ...systemCalls, ...calls })
const onDisk = (folder: string) => ['staged', 'objects'].map((part) => readdirSync(join(folder, part)))
// Where the system does not say, there is nothing to compare.
const openFiles = () => (existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : 0)

describe('a disk that fails', () => {
  test.each([
    ['to open', { open: refuse('ENOSPC') }],
    ['to write', { write: refuse('ENOSPC') }],
    ['to write for want of quota', { write: refuse('EDQUOT') }],
    ['to flush', { sync: refuse('ENOSPC') }],
    ['to rename', { rename: refuse('ENOSPC') }],
  ] as [string, Partial<DiskCalls>][])('%s for want of room is disk_full, and nothing is left', async (_, calls) => {
    const folder = newFolder()
    const blobs = createDiskBlobs({ folder, calls: failing(calls) })
    const before = openFiles()
    const attempt = async () => {
      const staged = await blobs.stage(randomBase62(26), 3)
      try {
        await staged.write(Buffer.from('abc'))
        await staged.publish()
      } finally {
        await staged.discard()
      }
    }
    expect(await failureOf(attempt())).toBe('disk_full')
    expect(onDisk(folder)).toEqual([[], []])
    expect(openFiles()).toBe(before)
  })

  test('writes what it takes in several goes', async () => {
    const write: DiskCalls['write'] = (fd, bytes, offset, at) =>
      systemCalls.write(fd, bytes.subarray(0, offset + 7), offset, at)
    const blobs = createDiskBlobs({ folder: newFolder(), calls: failing({ write }) })
    const bytes = Buffer.from('0123456789'.repeat(10))
    const key = await put(blobs, bytes)
    expect((await take(blobs, key, 100, { start: 0, end: 100 })).equals(bytes)).toBeTrue()
  })

  test('is not filled to the last byte', async () => {
    const folder = newFolder()
    const blobs = createDiskBlobs({ folder, minFreeBytes: Number.MAX_SAFE_INTEGER })
    expect(await failureOf(blobs.stage(randomBase62(26), null))).toBe('disk_full')
    const roomy = createDiskBlobs({ folder })
    expect(await failureOf(roomy.stage(randomBase62(26), Number.MAX_SAFE_INTEGER))).toBe('disk_full')
    expect(onDisk(folder)).toEqual([[], []])
  })

  test('is looked at again while more comes than anybody announced', async () => {
    const mebibyte = new Uint8Array(1 << 20)
    let room = 4 * mebibyte.length
    const free = async () => room
    const blobs = createDiskBlobs({ folder: newFolder(), minFreeBytes: mebibyte.length, calls: failing({ free }) })
    const staged = await blobs.stage(randomBase62(26), null)
    await staged.write(mebibyte)
    await staged.write(mebibyte)
    room = mebibyte.length
    expect(await failureOf(staged.write(mebibyte))).toBe('disk_full')
    await staged.discard()
  })

  test('breaks a stream off when the object turns out shorter than it was', async () => {
    const folder = newFolder()
    const blobs = createDiskBlobs({ folder })
    const size = 17 * 1024 * 1024
    const key = await put(blobs, Buffer.alloc(size))
    const body = await blobs.open(key, size, { start: 0, end: size }, newRight().hold)
    truncateSync(join(folder, 'objects', key), size / 2)
    await expect(new Response(body).arrayBuffer()).rejects.toThrow()
  })
})

test('what is stored can be read by its owner alone', async () => {
  const folder = newFolder()
  const key = await put(createDiskBlobs({ folder }), Buffer.from('abc'))
  expect(statSync(join(folder, 'objects')).mode & 0o077).toBe(0)
  expect(statSync(join(folder, 'objects', key)).mode & 0o077).toBe(0)
})

test('an upload to a full disk is answered 507, says nothing of the disk, and leaves no file, part or row', async () => {
  const folder = newFolder()
  let full = true
  const write: DiskCalls['write'] = (...of) => (full ? refuse('ENOSPC')() : systemCalls.write(...of))
  const app = await testApp({ blobs: createDiskBlobs({ folder, calls: failing({ write }) }) })
  const admin = await app.as('admin')
  const upload = () => app.call('POST', '/api/media', { headers: admin.headers, raw: 'abc' })
  const refused = await upload()
  expect([refused.status, refused.body.code]).toEqual([507, 'disk_full'])
  expect(JSON.stringify(refused.body)).not.toContain('path')
  expect(onDisk(folder)).toEqual([[], []])
  expect((await admin.get('/api/media')).body.data).toEqual([])
  full = false
  expect((await upload()).status).toBe(201)
  await app.stop()
})
