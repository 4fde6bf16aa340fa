// Media is never held whole: what a server needs does not grow with what passes through it.
import { expect, test } from 'bun:test'
import { measureMediaLoad } from './media-load'
import { storages } from './storages'

const mebi = 1024 * 1024

test.each(storages.map(({ name }) => name))(
  '%s: neither a large upload nor many slow readers at once take memory, nor do readers who go',
  async (storage) => {
    const load = { storage, uploadBytes: 128 * mebi, readers: 40, fileBytes: 20 * mebi, aborts: 500 }
    const { uploaded, taken, memory, files } = await measureMediaLoad(load)
    expect(uploaded).toMatchObject({ status: 201, size: load.uploadBytes, whole: true })
    expect(taken.every((bytes) => bytes > load.fileBytes)).toBeTrue()
    // In a bucket: a part, its copy on the way, and connections that are kept for the next call.
    const [more, connections] = storage.endsWith('in a bucket') ? [32, 50] : [0, 2]
    expect(memory.upload - memory.idle).toBeLessThan(32 + more)
    expect(memory.reads - memory.idle).toBeLessThan(48 + more)
    expect(memory.after - memory.idle).toBeLessThan(32)
    expect(files.after).toBeLessThanOrEqual(files.idle + connections)
  },
  60_000,
)
