// The program's own keys: made once, wrapped by the master key, never lost or replaced by accident.
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { eq } from 'drizzle-orm'
import { meta, programKeys, users } from '../db/schema'
import { type Keyring, openKeyring, type Purpose } from '../src/keyring'
import { type MasterKeys, parseMasterKeys } from '../src/keyring/master-keys'
import { randomBytes } from '../src/lib/crypto'
import { builder, statement } from '../src/write'
import { newTestClock } from './clock'
import { newTestDatabase } from './template'

const purposes: Purpose[] = ['address', 'index', 'challenge', 'session', 'pepper', 'audit-sign']
const hex = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString('hex')
const newMaster = (kid: string): MasterKeys => [{ kid, key: randomBytes(32) }]
const keysOf = (ring: Keyring) => purposes.map((p) => ({ p, kid: ring.current(p).kid, key: hex(ring.current(p).key) }))

let { db, path, close } = {} as Awaited<ReturnType<typeof newTestDatabase>>
const clock = newTestClock()
const open = (master: MasterKeys) => openKeyring({ db, master, clock })
const stored = async () => db.orm.select().from(programKeys).orderBy(programKeys.kid).all()
const send = (query: Parameters<typeof statement>[0]) => db.batch([statement(query)])
const refusal = (master: MasterKeys) =>
  open(master).then(
    () => 'opened',
    (error: Error) => error.message,
  )

beforeEach(async () => {
  ;({ db, path, close } = await newTestDatabase())
})
afterEach(() => close())

describe('the keyring', () => {
  test('makes one key of 32 random bytes for each purpose, and finds the same ones at the next start', async () => {
    const master = newMaster('m1')
    const first = await open(master)
    expect(new Set(keysOf(first).map(({ key }) => key)).size).toBe(purposes.length)
    expect(purposes.map((p) => first.current(p).key.length)).toEqual(purposes.map(() => 32))
    expect(keysOf(await open(master))).toEqual(keysOf(first))
  })

  test('two nodes that start at once end with the same keys', async () => {
    const master = newMaster('m1')
    const rings = await Promise.all([open(master), open(master), open(master)])
    for (const ring of rings) expect(keysOf(ring)).toEqual(keysOf(rings[0]!))
    expect(await stored()).toHaveLength(purposes.length)
  })

  test('keeps no key readable in the database', async () => {
    const ring = await open(newMaster('m1'))
    const bytes = Buffer.concat([readFileSync(path), readFileSync(`${path}-wal`)])
    const { kid, key } = ring.current('session')
    expect(bytes.includes(kid)).toBe(true)
    for (const form of ['hex', 'base64', 'base64url'] as const)
      expect(bytes.includes(Buffer.from(key).toString(form).replace(/=+$/, ''))).toBe(false)
    expect(bytes.includes(key)).toBe(false)
  })

  test('an unknown master key stops the start, and nothing is written', async () => {
    await open(newMaster('m1'))
    const before = await stored()
    expect(await refusal(newMaster('m2'))).toContain('needs the master key "m1"')
    expect(await stored()).toEqual(before)
  })

  test('another master key of the same name stops the start, and nothing is written', async () => {
    await open(newMaster('m1'))
    const before = await stored()
    expect(await refusal(newMaster('m1'))).toContain('"m1" does not open this database')
    expect(await stored()).toEqual(before)
  })

  test('a wrapped key opens nowhere but in its place', async () => {
    const master = newMaster('m1')
    await open(master)
    const [one, two] = await stored()
    await send(builder.update(programKeys).set({ wrapped: two!.wrapped }).where(eq(programKeys.kid, one!.kid)))
    expect(await refusal(master)).toContain('does not open')
    await send(builder.update(programKeys).set({ wrapped: one!.wrapped }).where(eq(programKeys.kid, one!.kid)))
    expect(await refusal(master)).toBe('opened')
    await send(builder.update(meta).set({ value: 'another' }).where(eq(meta.name, 'instance_id')))
    expect(await refusal(master)).toContain('does not open')
  })

  test('rotating the master key wraps the same keys anew, and the old one is no longer needed', async () => {
    const [before, after] = [newMaster('m1'), newMaster('m2')]
    const keys = keysOf(await open(before))
    expect(keysOf(await open([...after, ...before]))).toEqual(keys)
    expect((await stored()).map((row) => row.wrapped.split('.')[0])).toEqual(purposes.map(() => 'm2'))
    expect(keysOf(await open(after))).toEqual(keys)
    expect(await refusal(before)).toContain('needs the master key "m2"')
  })

  test('never makes new keys over addresses it could then not read', async () => {
    const master = newMaster('m1')
    await open(master)
    await send(builder.delete(programKeys))
    expect(await refusal(master)).toBe('opened')
    const person = { id: 'usr_1', addressHash: 'h', addressSealed: 's', locale: 'en', createdAt: 0 }
    await send(builder.insert(users).values(person))
    await send(builder.delete(programKeys).where(eq(programKeys.purpose, 'session')))
    expect(await refusal(master)).toBe('opened')
    await send(builder.delete(programKeys).where(eq(programKeys.purpose, 'address')))
    expect(await refusal(master)).toContain('restore them from a backup')
    expect((await stored()).map((row) => row.purpose)).not.toContain('address')
  })

  test('a further key becomes current when its time comes, on every node, and the earlier one is still found', async () => {
    const master = newMaster('m1')
    const [here, there] = [await open(master), await open(master)]
    const old = here.current('session')
    await here.rotate('session', clock.now() + 60_000)
    await there.reload()
    expect([here.current('session').kid, there.current('session').kid]).toEqual([old.kid, old.kid])
    clock.advance(60_000)
    expect(here.current('session').kid).not.toBe(old.kid)
    expect(there.current('session')).toEqual(here.current('session'))
    expect(hex(here.find('session', old.kid))).toBe(hex(old.key))
    expect(here.find('challenge', old.kid)).toBeUndefined()
    expect(here.all('session')).toHaveLength(2)
  })
})

describe('master keys', () => {
  const key = Buffer.from(randomBytes(32))

  test('are read in order, as base64 or base64url', () => {
    const read = parseMasterKeys(`new:${key.toString('base64')}, old:${key.toString('base64url')}`)
    expect(read.map(({ kid }) => kid)).toEqual(['new', 'old'])
    expect(hex(read[0]!.key)).toBe(key.toString('hex'))
  })

  test.each([
    ['', 1],
    ['m1', 1],
    [key.toString('base64'), 1],
    [`:${key.toString('base64')}`, 1],
    [`m.1:${key.toString('base64')}`, 1],
    [`m1:${key.toString('base64')},`, 2],
    [`m1:${key.subarray(1).toString('base64')}`, 1],
    [`m1:${key.toString('base64')}A`, 1],
    [`m1:${key.toString('hex')}`, 1],
  ])('case %#: a wrong entry is named by its place and not repeated', (text, place) => {
    expect(() => parseMasterKeys(text)).toThrow(`Master key ${place} is not kid:base64 of 32 bytes.`)
  })

  test('two of one name are refused', () => {
    expect(() => parseMasterKeys(`a:${key.toString('base64')},a:${key.toString('base64')}`)).toThrow('same kid')
  })
})
