// What was restored beside, held against the live database: how many rows each has, and whether the live audit goes on from it.
import { openReader } from '../adapters/database-libsql'
import { createPrimary } from '../adapters/primary'
import type { Value } from '../ports'
import type { DatabaseAt } from './snapshot'

type Read = (sql: string, args: readonly Value[]) => Promise<Value[][]>

/** `counts` by table. `strayed`: chains whose head in the backup is no part of the live chain. */
export type Live = { counts: Map<string, number>; strayed: string[] }

const withReader = async <T>(at: DatabaseAt, work: (read: Read) => Promise<T>): Promise<T> => {
  if (at.kind === 'primary') return work(createPrimary({ url: at.url, token: at.readToken, timeoutMs: 60_000 }).read)
  const reader = openReader(at.path)
  return work(reader.read).finally(reader.close)
}

const atOnce = 500
const headsSql =
  "select chain, position, hash from audit_heads where chain <> 'chains' and chain > ? order by chain limit ?"
// What was pruned since was sealed up to a later place.
const strayedSql = `select j.value ->> 0 from json_each(?) j
  where not exists (select 1 from audit_events e
    where e.chain = j.value ->> 0 and e.position = j.value ->> 1 and e.hash = j.value ->> 2)
  and not exists (select 1 from audit_checkpoints c where c.chain = j.value ->> 0
    and (c.position > j.value ->> 1 or (c.position = j.value ->> 1 and c.hash = j.value ->> 2)))`

const findStrayed = async (restored: Read, live: Read): Promise<string[]> => {
  const strayed: string[] = []
  for (let after = ''; ; ) {
    const heads = await restored(headsSql, [after, atOnce])
    strayed.push(...(await live(strayedSql, [JSON.stringify(heads)])).map(([chain]) => String(chain)))
    if (heads.length < atOnce) return strayed
    after = String(heads.at(-1)![0])
  }
}

const tablesSql = "select name from sqlite_schema where type = 'table' and name not like 'sqlite~_%' escape '~'"

/** `path`: the file that was restored, before which nothing of `live` was restored itself. */
export const compareWithLive = (path: string, live: DatabaseAt): Promise<Live> =>
  withReader({ kind: 'local', path }, (restored) =>
    withReader(live, async (read) => {
      const counts = new Map<string, number>()
      for (const [name] of await read(tablesSql, []))
        counts.set(String(name), Number((await read(`select count(*) from "${name}"`, []))[0]![0]))
      return { counts, strayed: await findStrayed(restored, read) }
    }),
  )
