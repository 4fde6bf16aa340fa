// What is acknowledged is on the disk, and nobody is told of anything that is not there yet.
import { expect, test } from 'bun:test'
import { copyFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { count } from 'drizzle-orm'
import Libsql from 'libsql'
import { users } from '../db/schema'
import { openLocalDatabase } from '../src/adapters/database-libsql'
import type { Database } from '../src/ports'
import { failureOf, insertUser } from './contract/database'
import { migratedTemplate, newFolder } from './template'

/** A database whose disk holds what was synced: `crashed` counts the users there are after a power cut now. */
const newDisk = async () => {
  const path = join(newFolder(), 'latchkey.db')
  copyFileSync(await migratedTemplate(), path)
  const image = join(newFolder(), 'latchkey.db')
  const waiting: { done: () => void; fail: (error: Error) => void }[] = []
  const disk = { isHeld: false, waiting }
  const sync = () => {
    for (const end of ['', '-wal']) if (existsSync(path + end)) copyFileSync(path + end, image + end)
  }
  const syncFile = async () => {
    if (disk.isHeld) await new Promise<void>((done, fail) => void waiting.push({ done, fail }))
    sync()
  }
  sync()
  const told: string[] = []
  const db = await openLocalDatabase({ path, syncFile, halt: (why) => void told.push(why) })
  const crashed = () => {
    const copy = join(newFolder(), 'latchkey.db')
    for (const end of ['', '-wal']) if (existsSync(image + end)) copyFileSync(image + end, copy + end)
    const found = new Libsql(copy)
    const row = found.prepare('select count(*) as n from users').get(undefined) as { n: number }
    found.close()
    return row.n
  }
  return { db, disk, crashed, told }
}
const usersIn = async (db: Database) => (await db.orm.select({ n: count() }).from(users))[0]?.n

/** What has come of it by now; nothing is slept for. */
const stateOf = async (work: Promise<unknown>) => {
  let state = 'waits'
  work.then(
    () => {
      state = 'done'
    },
    () => {
      state = 'failed'
    },
  )
  for (let turns = 0; turns < 20; turns++) await new Promise((next) => setImmediate(next))
  return state
}

test('a power cut after any acknowledgement loses nothing of it', async () => {
  const { db, crashed } = await newDisk()
  for (let n = 1; n <= 40; n++) {
    await db.batch([insertUser(`u${n}`)])
    expect(crashed()).toBe(n)
  }
  await Promise.all(Array.from({ length: 60 }, (_, i) => db.batch([insertUser(`v${i}`)])))
  expect(crashed()).toBe(100)
  await db.close()
})

test('while the disk is slow nothing is acknowledged or told, and what comes meanwhile is one commit', async () => {
  const { db, disk, crashed } = await newDisk()
  disk.isHeld = true
  const first = db.batch([insertUser('first')])
  expect(await stateOf(first)).toBe('waits')
  const read = usersIn(db)
  const others = Promise.all(['a', 'b', 'c'].map((id) => db.batch([insertUser(id)])))
  expect([await stateOf(read), await stateOf(others), crashed()]).toEqual(['waits', 'waits', 0])

  disk.waiting.shift()!.done()
  expect([await stateOf(first), await stateOf(read), await stateOf(others)]).toEqual(['done', 'done', 'waits'])
  expect([await read, crashed(), disk.waiting.length]).toEqual([1, 1, 1])

  disk.waiting.shift()!.done()
  await others
  disk.isHeld = false
  expect([await usersIn(db), crashed()]).toEqual([4, 4])
  await db.close()
})

test('a disk that fails a sync ends all: nothing after it is acknowledged or told, until it is opened anew', async () => {
  const { db, disk, told } = await newDisk()
  await db.batch([insertUser('before')])
  disk.isHeld = true
  const lost = db.batch([insertUser('lost')])
  expect(await stateOf(lost)).toBe('waits')
  const waits = db.batch([insertUser('waits')])
  disk.waiting.shift()!.fail(Object.assign(new Error('i/o error'), { code: 'EIO' }))
  expect([await failureOf(lost), await failureOf(waits)]).toEqual(['unavailable', 'unavailable'])
  expect(told).toEqual(['The disk failed to keep what was written (EIO).'])
  disk.isHeld = false
  expect(await failureOf(db.batch([insertUser('after')]))).toBe('unavailable')
  expect(await failureOf(usersIn(db))).toBe('unavailable')
  expect(await failureOf(db.check())).toBe('unavailable')
  await db.close()
})

test('a database that is being closed does what waits, and refuses what comes after', async () => {
  const { db, crashed } = await newDisk()
  const first = db.batch([insertUser('first')])
  const late = first.then(async () => {
    await null
    return db.batch([insertUser('late')])
  })
  const refusal = failureOf(late)
  await Promise.all([first, db.close()])
  expect([await refusal, crashed()]).toEqual(['unavailable', 1])
})
