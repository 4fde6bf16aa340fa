// What single parts cost: the limiter on a read, the audit row on a write, a million keys on the same request.
import { Database } from 'bun:sqlite'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { keyStore } from '../../src/features/keys/store'
import { newId } from '../../src/lib/id'
import { newHouse } from '../house'
import { type Load, requestsPerSecond } from './measure'
import { newCredentials, startLatchkey } from './servers'

/** Requests a second with a key while its workspace has `keys` of them. */
const startGrown = async (keys: number, limits: 'counted' | 'off' = 'counted') => {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-grown-'))
  const start = () => startLatchkey({ LATCHKEY_DATA_DIR: folder }, limits)
  const empty = await start()
  const { key } = await newCredentials(empty.url)
  await empty.stop()
  const db = new Database(join(folder, 'latchkey.db'))
  const columns = (db.query('pragma table_info(api_keys)').all() as { name: string }[]).map(({ name }) => name)
  const changed: Record<string, string> = {
    id: "'key_' || printf('%022d', n)",
    token_hash: "'hash ' || n",
    lineage: "'key_' || n",
  }
  db.run(`with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < ${keys})
    insert into api_keys (${columns}) select ${columns.map((c) => changed[c] ?? c)}
    from numbers, (select * from api_keys limit 1)`)
  db.close()
  const server = await start()
  const stop = async () => {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  return { load: { url: `${server.url}/api/whoami`, headers: key } satisfies Load, stop }
}

type Started = Awaited<ReturnType<typeof startGrown>>
const inTurn = async (servers: readonly Started[], rounds: number, seconds: number): Promise<number[][]> => {
  try {
    const rates: number[][] = servers.map(() => [])
    for (const { load } of servers) await requestsPerSecond(load, 1)
    for (let round = 0; round < rounds; round++)
      for (const [i, { load }] of servers.entries()) rates[i]!.push(await requestsPerSecond(load, seconds))
    return rates
  } finally {
    for (const { stop } of servers) await stop()
  }
}

/** For each round, how many times slower the request is with a million keys than with a thousand. */
export const measureGrowth = async (rounds: number, seconds: number): Promise<number[]> => {
  const [few = [], many = []] = await inTurn([await startGrown(1000), await startGrown(1_000_000)], rounds, seconds)
  return few.map((rate, i) => rate / many[i]!)
}

/** For each round, the limiter's share of a read, 0 to 1. */
export const measureLimiter = async (rounds: number, seconds: number): Promise<number[]> => {
  const [counted = [], off = []] = await inTurn([await startGrown(1), await startGrown(1, 'off')], rounds, seconds)
  return counted.map((rate, i) => 1 - rate / off[i]!)
}

/** For each round, the audit row's share of a durable write, 0 to 1. */
export const measureAudit = async (rounds: number): Promise<number[]> => {
  const house = await newHouse()
  const { admin } = await house.newTenant()
  const rename = () => keyStore(house.db).used(admin.workspace.id, newId('key'), 0)
  const time = async (work: () => Promise<unknown>) => {
    const began = performance.now()
    for (let i = 0; i < 200; i++) await work()
    return performance.now() - began
  }
  const shares: number[] = []
  for (let round = 0; round < rounds; round++) {
    const plain = await time(() => house.unaudited('a benchmark', [rename()]))
    const audited = await time(() => house.write(admin, { action: 'key.updated', targets: [] }, [rename()]))
    shares.push(1 - plain / audited)
  }
  await house.close()
  return shares
}
