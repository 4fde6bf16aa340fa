// A data folder with people, keys and files that a server has not seen yet, and as many other rows as wanted.
import { Database } from 'bun:sqlite'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { bearer, newCaller } from '../story'
import type { Scope } from './processes'
import { signInTo, startWithCodes } from './sign-in'

type Headers = Record<string, string>
export type House = {
  folder: string
  admin: Headers
  /** One each of as many people; the keys and files are in one workspace. */
  sessions: readonly Headers[]
  keys: readonly Headers[]
  files: readonly string[]
}

const together = async <T>(count: number, work: (i: number) => Promise<T>): Promise<T[]> => {
  const done: T[] = []
  for (let from = 0; from < count; from += 16) {
    const length = Math.min(16, count - from)
    done.push(...(await Promise.all(Array.from({ length }, (_, i) => work(from + i)))))
  }
  return done
}

/** `count` of each, made through the public API. */
export const newBenchHouse = async (scope: Scope, count: number): Promise<House> => {
  const folder = scope.folder()
  const { url, stop } = await startWithCodes({ LATCHKEY_DATA_DIR: folder })
  const { call } = newCaller(url)
  try {
    const sessions = await together(count, async (i) => bearer(await signInTo(url, `person-${i}@example.com`)))
    const admin = sessions[0]!
    const json = { name: 'Bench', level: 'write' }
    const keys = await together(count, async () =>
      bearer((await call('POST', '/api/keys', 201, { headers: admin, json })).token),
    )
    const headers = { ...admin, 'content-type': 'application/octet-stream', 'x-file-name': 'bench.bin' }
    const body = new Uint8Array(1024)
    const files = await together(
      count,
      async () => (await call('POST', '/api/media', 201, { headers, body })).url as string,
    )
    return { folder, admin, sessions, keys, files }
  } finally {
    await stop()
  }
}

const random = (bytes: number) => `lower(hex(randomblob(${bytes})))`
/** By table, what each copy of a row has of its own. */
const own: Record<string, Record<string, string>> = {
  sessions: { id: `'ses_' || ${random(11)}`, secret_hash: random(16), user_id: `'usr_' || ${random(11)}` },
  api_keys: { id: `'key_' || ${random(11)}`, token_hash: random(16), created_at: 'created_at - n' },
  media: { id: `'med_' || ${random(11)}`, blob: random(13), created_at: 'created_at - n' },
  // As sealed: the sealer is not to be found at work.
  audit_events: { id: `'aud_' || ${random(11)}`, at: 'at - n * 1000', position: '1000000000 + n', hash: random(32) },
}

/** The same house elsewhere, with `rows` more sessions, keys, files and audit rows, most of them in one workspace. */
export const growHouse = (scope: Scope, house: House, rows: number): House => {
  const folder = scope.folder()
  cpSync(house.folder, folder, { recursive: true })
  const db = new Database(join(folder, 'latchkey.db'))
  db.run('pragma journal_mode = off')
  db.run('pragma synchronous = off')
  db.run('pragma cache_size = -1000000')
  for (const [table, changed] of Object.entries(own)) {
    const columns = (db.query(`pragma table_info(${table})`).all() as { name: string }[]).map(({ name }) => name)
    const workspace = '(select workspace_id from api_keys limit 1)'
    const template = columns.includes('workspace_id') ? `where workspace_id = ${workspace}` : ''
    db.run(`with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < ${rows})
      insert into ${table} (${columns}) select ${columns.map((c) => `${changed[c] ?? c} as ${c}`)}
      from numbers, (select * from ${table} ${template} limit 1)`)
  }
  db.close()
  return { ...house, folder }
}
