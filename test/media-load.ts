// Loads a media server in a process of its own, and tells how much memory that took it.
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { origin } from './support'
import { beginRequest } from './wire'

const chunk = Buffer.alloc(256 * 1024, 'abcdefghijklmnopqrstuvwxyz0123456789')
const mebi = 1024 * 1024

const startServer = async (storage: string) => {
  const child = Bun.spawn(['bun', join(import.meta.dir, 'media-server.ts'), storage], { stdin: 'pipe', stdout: 'pipe' })
  const lines = (async function* () {
    let text = ''
    for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) {
      text += part
      for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
        yield JSON.parse(text.slice(0, end))
        text = text.slice(end + 1)
      }
    }
  })()
  const next = async () => (await lines.next()).value
  const { port, headers } = (await next()) as { port: number; headers: Record<string, string> }
  /** Open files; and MiB of memory, at most since it was last asked and now. */
  const state = async () => {
    child.stdin.write('\n')
    child.stdin.flush()
    const { peak, now, files } = (await next()) as { peak: number; now: number; files: number }
    return { peak: peak / mebi, now: now / mebi, files }
  }
  const stop = async () => {
    child.stdin.end()
    await child.exited
  }
  return { port, headers, state, stop }
}
type Server = Awaited<ReturnType<typeof startServer>>

const upload = async ({ port, headers }: Server, bytes: number) => {
  const hash = createHash('sha256')
  let left = bytes
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const piece = chunk.subarray(0, Math.min(left, chunk.length))
      left -= piece.length
      hash.update(piece)
      controller.enqueue(piece)
      if (left === 0) controller.close()
    },
  })
  const init = { method: 'POST', headers: { ...headers, host: new URL(origin).host }, body, duplex: 'half' }
  const response = await fetch(`http://127.0.0.1:${port}/api/media`, init as RequestInit)
  const made = (await response.json()) as { url: string; sha256: string; size: number }
  return { ...made, status: response.status, whole: made.sha256 === hash.digest('hex') }
}

/** Reads the file once more, a little at a time, until it has come or `enough` of it has; gives how many bytes that was. */
const read = ({ port, headers }: Server, url: string, enough: number, pauseMs: number): Promise<number> =>
  new Promise((resolve) => {
    const socket = beginRequest(port, 'GET', url, headers)
    let bytes = 0
    socket.on('data', ({ length }) => {
      bytes += length
      if (bytes >= enough) socket.destroy()
      if (pauseMs === 0) return
      socket.pause()
      setTimeout(() => socket.resume(), pauseMs)
    })
    socket.on('close', () => resolve(bytes))
  })

export type Load = { storage: string; uploadBytes: number; readers: number; fileBytes: number; aborts: number }

/** Uploads, then many slow readers at once, then many that go away: the peak of each, in MiB. */
export const measureMediaLoad = async ({ storage, uploadBytes, readers, fileBytes, aborts }: Load) => {
  const server = await startServer(storage)
  try {
    // The first of everything is compiled and cached before it counts.
    const file = await upload(server, fileBytes)
    await read(server, file.url, fileBytes, 0)
    await server.state()
    const idle = await server.state()
    const uploaded = await upload(server, uploadBytes)
    const afterUpload = await server.state()
    const taken = await Promise.all(Array.from({ length: readers }, () => read(server, file.url, fileBytes, 1)))
    const afterReads = await server.state()
    for (let i = 0; i < aborts; i += 50)
      await Promise.all(Array.from({ length: 50 }, () => read(server, file.url, 1, 0)))
    await server.state()
    const after = await server.state()
    const memory = { idle: idle.now, upload: afterUpload.peak, reads: afterReads.peak, after: after.now }
    return { uploaded, taken, memory, files: { idle: idle.files, after: after.files } }
  } finally {
    await server.stop()
  }
}
