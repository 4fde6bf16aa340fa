// Bodies that are written into while they are read. Runs on Bun, whose direct streams copy what they are given.
import type { Pour } from '../ports'

export const pour: Pour = (fill) => {
  let gone = false
  const left = new Error('the reader has gone')
  const source: Bun.DirectUnderlyingSource<Uint8Array> = {
    type: 'direct',
    async pull(controller) {
      const write = async (bytes: Uint8Array) => {
        if (gone) throw left
        await controller.write(bytes as Uint8Array<ArrayBuffer>)
        await controller.flush()
      }
      try {
        await fill(write)
      } catch (error) {
        if (error !== left) throw error
      }
      controller.end()
    },
    cancel() {
      gone = true
    },
  }
  return new ReadableStream(source as unknown as UnderlyingDefaultSource<Uint8Array>)
}
