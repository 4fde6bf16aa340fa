// What every database adapter must hold, as one suite over an opener of fresh, migrated databases.
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { and, eq, sql } from 'drizzle-orm'
import { leases, members, meta, projects, users } from '../../db/schema'
import { Failure } from '../../src/errors'
import type { Database, Statement, Value } from '../../src/ports'
import { builder, demand, guard, statement } from '../../src/write'

export type Opened = { db: Database; close(): Promise<void> }
type Use = () => Database

export const insertUser = (id: string) =>
  statement(
    builder.insert(users).values({ id, addressHash: `hash-${id}`, addressSealed: '', locale: 'en', createdAt: 1 }),
  )
const insertLease = (name: string, until = 0) => statement(builder.insert(leases).values({ name, holder: '', until }))
const insertWorkspace = (n: number): Statement => ({
  sql: 'insert into workspaces (workspace_id, id, name, created_by, created_at) values (?, ?, ?, ?, ?)',
  args: [n, `wsp_${n}`, 'name', 'usr', 1],
})
const insertProject = (n: number, id: string): Statement => ({
  sql: 'insert into projects (workspace_id, id, slug, name, created_at) values (?, ?, ?, ?, ?)',
  args: [n, id, id, id, 1],
})

/** The code of the Failure that `promise` rejects with; its message when it is another Error. */
export const failureOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'none',
    (error: unknown) => (error instanceof Failure ? error.code : (error as Error).message),
  )

const namesOf = async (db: Database) => (await db.orm.select({ name: leases.name }).from(leases)).map((row) => row.name)

const batches = (use: Use) => {
  test('a batch is all or nothing', async () => {
    const db = use()
    expect(await failureOf(db.batch([insertLease('a'), insertLease('b'), insertLease('a')]))).toBe('conflict')
    expect(await namesOf(db)).toEqual([])
    await db.batch([insertLease('a'), insertLease('b')])
    expect(await namesOf(db)).toEqual(['a', 'b'])
  })

  test('a failing statement raises its own orElse, and no other statement’s', async () => {
    const db = use()
    const gone = { ...insertLease('a'), orElse: new Failure('precondition_failed') }
    await db.batch([gone])
    expect(await failureOf(db.batch([{ ...insertLease('b'), orElse: new Failure('forbidden') }, gone]))).toBe(
      'precondition_failed',
    )
    expect(await failureOf(db.batch([gone, { ...insertLease('b'), orElse: new Failure('forbidden') }]))).toBe(
      'precondition_failed',
    )
    expect(await failureOf(db.batch([insertLease('a')]))).toBe('conflict')
  })

  test('a guard undoes the batch when the statement before it changed no row, and a demand when it does not hold', async () => {
    const db = use()
    const extend = (name: string) => statement(builder.update(leases).set({ until: 5 }).where(eq(leases.name, name)))
    await db.batch([insertLease('a')])
    expect(await failureOf(db.batch([insertLease('b'), extend('nobody'), guard('not_found')]))).toBe('not_found')
    expect(await failureOf(db.batch([insertLease('b'), demand(sql`1 = 2`, 'quota_exceeded')]))).toBe('quota_exceeded')
    const extendAndSay = { ...extend('nobody'), sql: `${extend('nobody').sql} returning name` }
    expect(await failureOf(db.batch([insertLease('b'), extendAndSay, guard('not_found')]))).toBe('not_found')
    expect(await namesOf(db)).toEqual(['a'])
    await db.batch([extend('a'), guard('not_found'), demand(sql`1 = 1`, 'quota_exceeded')])
    expect(await db.orm.select({ until: leases.until }).from(leases)).toEqual([{ until: 5 }])
  })

  test('each kind of broken constraint is a conflict', async () => {
    const db = use()
    await db.batch([insertUser('u'), insertWorkspace(1)])
    const member = (n: number, user: string, role: string | null): Statement => ({
      sql: 'insert into members (workspace_id, user_id, role, created_at) values (?, ?, ?, ?)',
      args: [n, user, role, 1],
    })
    const broken = {
      unique: { ...insertUser('v'), args: insertUser('v').args.map((arg) => (arg === 'hash-v' ? 'hash-u' : arg)) },
      primaryKey: insertUser('u'),
      notNull: member(1, 'u', null),
      check: member(1, 'u', 'owner'),
      foreignKey: member(2, 'u', 'admin'),
    }
    for (const [kind, one] of Object.entries(broken))
      expect([kind, await failureOf(db.batch([one]))]).toEqual([kind, 'conflict'])
    await db.batch([member(1, 'u', 'admin')])
  })

  test('outcomes give RETURNING rows and count changed rows', async () => {
    const db = use()
    const set = (until: number, name: string) => builder.update(leases).set({ until }).where(eq(leases.name, name))
    const two = builder.insert(leases).values(['a', 'b'].map((name) => ({ name, holder: 'h', until: 1 })))
    expect(
      await db.batch([
        statement(two.returning({ name: leases.name, until: leases.until })),
        statement(set(2, 'a')),
        statement(set(3, 'nobody').returning()),
        statement(builder.delete(leases)),
      ]),
    ).toEqual([
      { rows: ['a', 'b'].map((name) => ({ name, until: 1 })), changes: 2 },
      { rows: [], changes: 1 },
      { rows: [], changes: 0 },
      { rows: [], changes: 2 },
    ])
  })
}

const values: Value[] = [
  ...[null, '', 'text', '💥é\u202e\n"\'', '\uffff', '1', '0x', 'x'.repeat(100_000)],
  ...[0, 1, -1, 1.5, -1e-9, 1e-300, 1_700_000_000_000, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER],
  ...[new Uint8Array(0), Uint8Array.of(0, 1, 255), new Uint8Array(100_000).fill(7).subarray(3)],
]

const exchange = (use: Use) => {
  test.each(values.map((value, i) => [i, value] as const))('value %i comes back as it went', async (_i, value) => {
    const db = use()
    const alike = (given: unknown) => (given instanceof Uint8Array ? Buffer.from(given).toString('hex') : given)
    const [[read, type] = []] = await db.orm.values<[Value, string]>(sql`select ${value}, typeof(${value})`)
    expect(alike(read)).toBe(alike(value))
    if (Number.isInteger(value)) expect(type).toBe('integer')
    if (value === null) return
    const column = typeof value === 'number' ? 'until' : 'holder'
    const insert = `insert into leases (name, holder, until) values ('x', ?, ?) returning ${column}`
    const [written] = await db.batch([{ sql: insert, args: typeof value === 'number' ? ['', value] : [value, 0] }])
    expect(alike(written!.rows[0]![column])).toBe(alike(value))
    expect((await db.orm.select().from(leases)).map((row) => alike(row[column]))).toEqual([alike(value)] as never)
  })

  const unfit = [undefined, true, Number.NaN, Infinity, 2 ** 53, 1n, {}, new Date(0), Symbol()]
  test.each(unfit.map((value) => [typeof value, value] as const))(
    'what would not come back as it went is refused: %s',
    async (_type, value) => {
      const insert = { sql: "insert into leases values ('x', ?, 1)", args: [value as never] }
      expect(await failureOf(use().batch([insert]))).toStartWith('A statement was given the wrong parameters')
    },
  )

  test('so are text with a NUL, too few parameters and too many', async () => {
    const insert = (...args: Value[]) =>
      failureOf(use().batch([{ sql: "insert into leases values ('x', ?, 1)", args }]))
    expect(await insert('a\0b')).toBe('invalid')
    for (const args of [[], ['', '']]) expect(await insert(...args)).toStartWith('A statement was given the wrong')
    expect(await failureOf((async () => use().orm.values(sql`select ${'\0'}`))())).toBe('invalid')
    expect(await insert('')).toBe('none')
  })

  test('a write is seen by the next read', async () => {
    const db = use()
    const find = db.orm
      .select()
      .from(leases)
      .where(eq(leases.name, sql.placeholder('name')))
      .prepare()
    for (let i = 0; i < 25; i++) {
      expect(await find.get({ name: `n${i}` })).toBeUndefined()
      await db.batch([insertLease(`n${i}`, i)])
      expect(await find.get({ name: `n${i}` })).toEqual({ name: `n${i}`, holder: '', until: i })
    }
  })

  test('a kept statement answers for its own parameters, one after another and all at once', async () => {
    const db = use()
    const names = Array.from({ length: 20 }, (_, i) => `n${i}`)
    await db.batch(names.map((name) => insertLease(name)))
    const find = db.orm
      .select({ name: leases.name })
      .from(leases)
      .where(eq(leases.name, sql.placeholder('name')))
      .prepare()
    for (const name of names)
      expect([await find.get({ name }), await find.all({ name })]).toEqual([{ name }, [{ name }]])
    const ways = [find.get, find.all, find.values].map((way) => way.bind(find))
    const all = await Promise.all(names.flatMap((name) => ways.map((way) => way({ name }))))
    expect(all as unknown[]).toEqual(names.flatMap((name) => [{ name }, [{ name }], [[name]]]))
  })
}

const refusals = (use: Use) => {
  test('reads cannot write, not even those across tenants', async () => {
    const db = use()
    for (const text of [sql`insert into meta values ('a', 'b')`, sql`with x as (select 1) delete from meta`]) {
      const ways = [
        async () => await db.orm.values(text),
        () => db.acrossTenants('a test', async (o) => await o.values(text)),
      ]
      for (const way of ways) expect(await failureOf(way())).toStartWith('orm only reads')
    }
  })

  test('a batch does not read', async () => {
    const read = statement(builder.select().from(leases))
    expect(await failureOf(use().batch([insertLease('a'), read]))).toStartWith('batch only changes')
    expect(await namesOf(use())).toEqual([])
  })

  test('a statement that binds no workspace is refused as it is prepared; bound or exempt it runs', async () => {
    const db = use()
    await db.batch([insertWorkspace(1), insertProject(1, 'mine'), insertWorkspace(2), insertProject(2, 'theirs')])
    const query = (orm: Pick<Database['orm'], 'select'>) => orm.select({ id: projects.id }).from(projects)
    expect(() => query(db.orm).where(eq(projects.id, 'mine')).prepare()).toThrow('without binding its workspace_id')
    expect(await query(db.orm).where(and(eq(projects.workspaceId, 1 as never)))).toEqual([{ id: 'mine' }])
    expect(await db.acrossTenants('a test', query)).toHaveLength(2)
    const rename = { sql: 'update projects set name = ? where id = ?', args: ['new', 'theirs'] }
    expect(await failureOf(db.batch([rename]))).toContain('without binding its workspace_id')
    expect(await db.batch([{ ...rename, acrossTenants: 'a test' }])).toEqual([{ rows: [], changes: 1 }])
  })

  test('no error holds a bound value', async () => {
    const db = use()
    const canary = 'canary-7f3a'
    const failures = [
      db.orm.values(sql`select json_extract('{}', ${canary})`),
      db.orm.values(sql`select no_such, ${canary}`),
      db.orm.select().from(members).where(sql`workspace_id = ${1} and no_such = ${canary}`),
      db.batch([{ sql: "update meta set value = json_extract('{}', ?)", args: [canary] }]),
      db.batch([insertLease(canary), insertLease(canary)]),
      db.batch([{ sql: 'insert into revocations (seq, subject, created_at) values (?, ?, ?)', args: [canary, '', 1] }]),
      db.batch([{ sql: 'update meta set no_such = ?', args: [canary] }]),
    ]
    for (const error of await Promise.all(failures.map((f) => Promise.resolve(f).catch((e: unknown) => e)))) {
      expect(error).toBeInstanceOf(Error)
      expect(Bun.inspect(error).replace(/^\s*\d* \|.*$/gm, '')).not.toContain(canary)
    }
    expect(String(await failures[1]!.catch(String))).toContain('no such column: no_such')
  })
}

const concurrency = (use: Use) => {
  test('batches sent at once come one after another', async () => {
    const db = use()
    await db.batch([insertLease('n')])
    const add = statement(builder.update(leases).set({ until: sql`${leases.until} + 1` }))
    const note = (name: string): Statement => ({
      sql: 'insert into meta (name, value) select ?, until from leases returning value',
      args: [name],
    })
    const sent = Array.from({ length: 20 }, (_, i) => db.batch([add, note(`s${i}`), add]))
    const seen = (await Promise.all(sent)).map(([, noted]) => Number(noted!.rows[0]!.value))
    expect(seen.sort((a, b) => a - b)).toEqual(seen.map((_, i) => 2 * i + 1))
    expect(await db.orm.select({ until: leases.until }).from(leases)).toEqual([{ until: 40 }])
  })

  test('of 64 that claim one thing at once, one has it', async () => {
    const db = use()
    await db.batch([insertLease('n')])
    const claim = (holder: string) => [
      statement(
        builder
          .update(leases)
          .set({ holder })
          .where(and(eq(leases.name, 'n'), eq(leases.holder, ''))),
      ),
      guard('conflict'),
    ]
    const answers = await Promise.all(Array.from({ length: 64 }, (_, i) => failureOf(db.batch(claim(`h${i}`)))))
    expect(answers.filter((a) => a === 'none')).toHaveLength(1)
    expect(answers.filter((a) => a === 'conflict')).toHaveLength(63)
    expect(await db.orm.select({ holder: leases.holder }).from(leases)).toEqual([
      { holder: `h${answers.indexOf('none')}` },
    ])
  })

  test('a new database knows itself, and says that it is well', async () => {
    const facts = Object.fromEntries((await use().orm.select().from(meta)).map(({ name, value }) => [name, value]))
    expect(facts).toEqual({ instance_id: expect.stringMatching(/^[0-9a-f]{32}$/), generation: '1' })
    await use().check()
  })
}

/** Runs the suite; `open` gives a fresh database for each test. */
export const databaseContract = (name: string, open: () => Promise<Opened>) =>
  describe(name, () => {
    let opened: Opened
    beforeEach(async () => {
      opened = await open()
    })
    afterEach(() => opened.close())
    for (const part of [batches, exchange, refusals, concurrency]) part(() => opened.db)
  })
