// The shelf: uploads are gone on from on any node, whatever the setting says by then, and forgotten without a key.
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { workspaces } from '../db/schema'
import { createDiskBlobs } from '../src/adapters/blobs-disk'
import { pour } from '../src/adapters/pour'
import { createShelf } from '../src/features/media/shelf'
import { openKeyring } from '../src/keyring'
import { createWorkspaceKeys } from '../src/keyring/workspace-keys'
import { randomBytes } from '../src/lib/crypto'
import { randomBase62 } from '../src/lib/id'
import type { WorkspaceId } from '../src/permissions'
import { createRevocations } from '../src/revocation'
import { builder, createUnaudited, statement } from '../src/write'
import { newTestClock } from './clock'
import { newRight } from './contract/blobs'
import { failureOf } from './contract/database'
import { newTestLog } from './support'
import { newFolder, newTestDatabase } from './template'

const [workspaceId, other] = [1 as WorkspaceId, 2 as WorkspaceId]
const [master, clock, folder] = [[{ kid: 'm1', key: randomBytes(32) }], newTestClock(), newFolder()]
const { log, events } = newTestLog()
const { hold } = newRight()
let { db, close } = {} as Awaited<ReturnType<typeof newTestDatabase>>
beforeAll(async () => {
  ;({ db, close } = await newTestDatabase())
  for (const id of [workspaceId, other]) {
    const row = { workspaceId: id, id: `wsp_${id}`, name: 'A', createdBy: 'usr_1', createdAt: 0 }
    await db.batch([statement(builder.insert(workspaces).values(row))])
  }
})
afterAll(() => close())

/** A node of its own, on the same database and disk. */
const node = async (encryption: 'on' | 'off') => {
  const keyring = await openKeyring({ db, master, clock })
  const base = { db, unaudited: createUnaudited(db), revocations: createRevocations(db), clock }
  const keys = createWorkspaceKeys({ ...base, keyring })
  return createShelf({ blobs: createDiskBlobs({ folder }), pour, keys, log, encryption })
}
const placeOf = () => ({ workspaceId, blob: randomBase62(26) })
const text = async (body: Promise<BodyInit>) => Buffer.from(await new Response(await body).arrayBuffer())
const staged = () => readdirSync(join(folder, 'staged'))

test.each([
  ['on', 'off'],
  ['off', 'on'],
  ['on', 'on'],
] as const)('an upload begun with the setting %s goes on as it is where it is %s', async (first, second) => {
  const [place, bytes] = [placeOf(), Buffer.from(randomBytes(200_003))]
  const begun = await (await node(first)).stage(place, bytes.length)
  await begun.write(bytes.subarray(0, 70_001))
  const saved = await begun.save()
  await begun.pause()
  const there = await node(second)
  const again = await there.resume(place, saved)
  await again.write(bytes.subarray(70_001))
  await again.publish()
  const version = { ...place, id: 'med_1', version: 1, size: bytes.length }
  const file = { ...version, key: again.keyFor(version) }
  expect(file.key === null).toBe(first === 'off')
  const range = { start: 0, end: bytes.length }
  expect((await text(there.open(file, range, hold) as Promise<BodyInit>)).equals(bytes)).toBeTrue()
})

test('what was published before a crash is published once, and can be read again for what its row needs', async () => {
  const [place, bytes, shelf] = [placeOf(), Buffer.from(randomBytes(70_000)), await node('on')]
  const first = await shelf.stage(place, null)
  await first.write(bytes)
  const saved = await first.save()
  await first.publish()
  const again = await (await node('on')).resume(place, saved)
  await again.publish()
  await again.discard()
  const range = { start: 0, end: bytes.length }
  expect((await text(again.open(bytes.length, range, hold) as Promise<BodyInit>)).equals(bytes)).toBeTrue()
})

test('an upload is not gone on from in another workspace, nor where it was altered, and an event says so', async () => {
  const [place, shelf] = [placeOf(), await node('on')]
  const begun = await shelf.stage(place, null)
  await begun.write(randomBytes(100))
  const saved = await begun.save()
  await begun.pause()
  await (await shelf.stage({ workspaceId: other, blob: randomBase62(26) }, null)).discard()
  const before = events.length
  expect(await failureOf(shelf.resume({ ...place, workspaceId: other }, saved))).toBe('internal')
  const cut = JSON.stringify({ ...JSON.parse(saved), tail: '' })
  expect(await failureOf(shelf.resume(place, cut))).toBe('internal')
  expect(events.slice(before).map(({ message }) => message)).toEqual(['media damaged', 'media damaged'])
  await (await shelf.resume(place, saved)).discard()
})

test('what was saved is forgotten without its key, published or not', async () => {
  const shelf = await node('on')
  for (const isPublished of [false, true]) {
    const place = placeOf()
    const begun = await shelf.stage(place, null)
    await begun.write(randomBytes(100_000))
    const saved = await begun.save()
    await (isPublished ? begun.publish() : begun.pause())
    await (await node('off')).forget({
      ...place,
      saved: JSON.stringify({ ...JSON.parse(saved), key: 'lost', tail: '' }),
    })
    expect([staged(), readdirSync(join(folder, 'objects')).includes(place.blob)]).toEqual([[], false])
    await shelf.forget({ ...place, saved })
  }
})
