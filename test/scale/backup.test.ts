// A backup of a larger instance: what it costs the server meanwhile, and that its own memory does not grow with it.
import { expect, test } from 'bun:test'
import { copyFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import Libsql from 'libsql'
import { measured, newInstance, serve } from '../backup-house'
import { newFolder } from '../template'
import { isProof } from './cluster'

const mb = 2 ** 20

/** Fills a database by `rows` of some 250 bytes, as a long life would. */
const fill = (folder: string, rows: number) => {
  const file = new Libsql(join(folder, 'latchkey.db'))
  file.exec(
    `with recursive n(i) as (select 1 union all select i + 1 from n where i < ${rows})
     insert into revocations (subject, created_at) select 'key:' || hex(randomblob(120)), ${Date.now()} from n`,
  )
  file.close()
}

/** Times `call` one after the other until `done` settles. */
const during = async (call: () => Promise<unknown>, done: Promise<unknown>) => {
  const times: number[] = []
  let isDone = false
  const end = done.finally(() => {
    isDone = true
  })
  while (!isDone) {
    const began = performance.now()
    await call()
    times.push(performance.now() - began)
  }
  await end
  times.sort((a, b) => a - b)
  const at = (share: number) => Math.round((times[Math.floor(times.length * share)] ?? 0) * 10) / 10
  return { writes: times.length, p50: at(0.5), p99: at(0.99), max: at(0.9999) }
}

test('100 MB of database and 300 MB of media are backed up and restored in flat memory, while writes go on', async () => {
  const first = await newInstance()
  await first.stop()
  fill(first.folder, 300_000)
  const server = await serve(first.folder)
  const body = new Uint8Array(100 * mb)
  const headers = { ...first.headers, 'x-file-name': 'large.bin' }
  for (let i = 0; i < 3; i++) await server.call('POST', '/api/media', 201, { headers, body })
  let n = 0
  const write = () =>
    server.call('PATCH', `/api/keys/${first.keys[0].id}`, 200, { headers: first.headers, json: { name: `${n++}` } })
  const alone = await during(write, Bun.sleep(1000))
  const file = join(newFolder(), 'a.backup')
  let cost = { ms: 0, peakMb: 0 }
  const meanwhile = await during(
    write,
    measured(first.folder, ['backup', file]).then((it) => {
      cost = it
    }),
  )
  await server.stop()
  const folder = newFolder()
  copyFileSync(join(first.folder, 'master.key'), join(folder, 'master.key'))
  const restored = await measured(folder, ['restore', file])
  process.stdout.write(
    `${JSON.stringify({ archiveMb: Math.round(statSync(file).size / mb), alone, meanwhile, cost, restored })}\n`,
  )
  expect(meanwhile.p99).toBeLessThan(isProof ? 50 : 2000)
  expect(Math.max(cost.peakMb, restored.peakMb)).toBeLessThan(200)
}, 120_000)
