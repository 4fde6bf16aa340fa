// A connection that is lost without a word: what fetches a copy hangs in it for good, and the node ends, to be started again.
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { join } from 'node:path'
import { openReplicaDatabase } from '../src/adapters/database-replica'
import { createCopyFeed } from '../src/feed/copy'
import type { Copy, Database } from '../src/ports'
import { createRevocations } from '../src/revocation'
import { newTestClock } from './clock'
import { type Link, startProxy } from './scale/proxy'
import { type Sqld, startSqld } from './sqld'
import { newTestLog } from './support'
import { newFolder } from './template'

let [sqld, link, db, copy]: [Sqld, Link, Database, Copy] = [null!, null!, null!, null!]
beforeEach(async () => {
  sqld = await startSqld()
  link = await startProxy(new URL(sqld.url).host)
  const tokens = { token: sqld.token('rw'), replicaToken: sqld.token('ro') }
  db = await openReplicaDatabase({ path: join(newFolder(), 'replica.db'), url: link.url, ...tokens })
  copy = db.sharing as Copy
})
afterEach(async () => {
  link.mend()
  await db.close()
  link.stop()
  await sqld.stop()
})

/** The feed of a node, and what it was ended for; time is the test's. */
const newNode = () => {
  const [clock, said] = [newTestClock(), [] as string[]]
  const [revocations, { log }] = [createRevocations(db), newTestLog()]
  const halt = (why: string) => void said.push(why)
  const { tick } = createCopyFeed({ db, clock, log, revocations, node: 'n', staleMs: 0, halt }, copy)
  const pass = async (seconds: number, between: () => Promise<unknown> = async () => {}) => {
    for (let i = 0; i < seconds; i++) {
      await between()
      clock.advance(1000)
      tick()
    }
    return said
  }
  return { pass, clock }
}
/** Once it has fetched, or failed to, another time. */
const fetched = async () => {
  for (const before = copy.progress(); copy.progress() === before; ) await Bun.sleep(10)
}
const still = async () => {
  for (let before = ''; before !== copy.progress(); await Bun.sleep(300)) before = copy.progress()
}

test('a fetch that hangs for a minute while the primary answers ends the node, which says why', async () => {
  const node = newNode()
  link.freezeSync()
  await still()
  expect(await node.pass(60)).toEqual([])
  expect(await node.pass(1)).toEqual([expect.stringContaining('What fetches the copy hangs')])
}, 30_000)

test('one that works, or fails and is tried again, ends nobody; nor does a process that stood still itself', async () => {
  const node = newNode()
  expect(await node.pass(12, fetched)).toEqual([])
  node.clock.advance(600_000)
  expect(await node.pass(5)).toEqual([])
  link.cut()
  await fetched()
  expect(await node.pass(2, fetched)).toEqual([])
}, 30_000)
