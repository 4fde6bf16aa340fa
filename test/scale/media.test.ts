// Media at the size that is promised: 1 GB up, 200 slow readers of 64 MiB, 10,000 who go, within 150 MB.
import { expect, test } from 'bun:test'
import { measureMediaLoad } from '../media-load'

const mebi = 1024 * 1024

test.each(['on disk', 'sealed on disk'])(
  'a server of media %s stays under 150 MB, whatever passes',
  async (storage) => {
    const load = { storage, uploadBytes: 1024 * mebi, readers: 200, fileBytes: 64 * mebi, aborts: 10_000 }
    const { uploaded, taken, memory, files } = await measureMediaLoad(load)
    console.log(memory, files)
    expect(uploaded).toMatchObject({ status: 201, size: load.uploadBytes, whole: true })
    expect(taken.every((bytes) => bytes > load.fileBytes)).toBeTrue()
    expect(memory.upload).toBeLessThan(150)
    expect(memory.reads).toBeLessThan(150)
    expect(memory.after - memory.idle).toBeLessThan(32)
    expect(files.after).toBeLessThanOrEqual(files.idle + 2)
  },
  300_000,
)
