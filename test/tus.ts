// tus 1.0 spoken by hand, as plain fetch would: what client libraries hide.
import { randomBytes } from '../src/lib/crypto'
import type { Answer, Client, TestApp } from './support'

export const speaks = { 'tus-resumable': '1.0.0' }
export const chunkType = { 'content-type': 'application/offset+octet-stream' }
const base64 = (text: string) => Buffer.from(text).toString('base64')
export const metadataOf = (said: Record<string, string>): string =>
  Object.entries(said)
    .map(([name, value]) => `${name} ${base64(value)}`)
    .join(',')

export const bytesOf = (length: number): Buffer<ArrayBuffer> =>
  Buffer.concat(Array.from({ length: Math.ceil(length / 65_536) }, () => randomBytes(65_536))).subarray(0, length)

type More = { headers?: Record<string, string>; raw?: BodyInit }

/** Uploads as somebody makes them. */
export const tusOf = (t: TestApp, who: Pick<Client, 'headers'>) => {
  const send = (method: string, target: string, { headers = {}, raw }: More = {}): Promise<Answer> =>
    t.call(method, target, {
      headers: { ...who.headers, ...speaks, ...headers },
      ...(raw !== undefined && { raw }),
    })
  const create = (length: number, { headers = {}, raw }: More = {}) =>
    send('POST', '/api/uploads', {
      headers: { 'upload-length': String(length), ...(raw !== undefined && chunkType), ...headers },
      ...(raw !== undefined && { raw }),
    })
  const head = (at: string) => send('HEAD', at)
  return {
    send,
    create,
    head,
    /** Where a new upload is. */
    begin: async (length: number, more: More = {}): Promise<string> => {
      const { status, headers } = await create(length, more)
      if (status !== 201) throw new Error(`an upload was not begun: ${status}`)
      return headers.get('location') ?? ''
    },
    patch: (at: string, offset: number, raw: BodyInit, headers: Record<string, string> = {}) =>
      send('PATCH', at, { headers: { ...chunkType, 'upload-offset': String(offset), ...headers }, raw }),
    offset: async (at: string): Promise<number> => Number((await head(at)).headers.get('upload-offset') ?? Number.NaN),
    /** The file that an answer says it became: as it is described, and its bytes. */
    file: async (answer: Answer) => {
      const place = answer.headers.get('content-location') ?? ''
      const { body } = await t.call('GET', place, { headers: who.headers })
      const got = await t.fetch('GET', body.url, { headers: who.headers })
      return { ...body, bytes: Buffer.from(await got.arrayBuffer()) }
    },
  }
}

export const until = async (what: () => boolean | Promise<boolean>, ms = 4000): Promise<void> => {
  for (const end = performance.now() + ms; !(await what()); await Bun.sleep(2))
    if (performance.now() > end) throw new Error('it never came to that')
}
