// Background work under leases: one node at a time, and neither a crash nor a failure ends it.
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { leases } from '../db/schema'
import { createJobs, type Job } from '../src/jobs'
import type { Log } from '../src/ports'
import { builder, statement } from '../src/write'
import { newTestClock } from './clock'
import { newTestDatabase } from './template'

let database: Awaited<ReturnType<typeof newTestDatabase>>
let clock: ReturnType<typeof newTestClock>
let logged: Record<string, unknown>[]

beforeEach(async () => {
  database = await newTestDatabase()
  clock = newTestClock()
  logged = []
})
afterEach(() => database.close())

const log: Log = {
  info() {},
  warn() {},
  error: (fields) => void logged.push(fields),
  request() {},
  flush() {},
}

const newNode = (holder: string, job: Partial<Job> & Pick<Job, 'run'>, leaseMs?: number, at = clock) => {
  const jobs = createJobs({ db: database.db, clock: at, log, holder, ...(leaseMs && { leaseMs }) })
  jobs.add({ name: 'sweep', everyMs: 3_600_000, ...job })
  return jobs
}
const nothing = async () => {}
/** Lets timers of 0 ms and all that follows from them happen. */
const turns = async (count = 20) => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setTimeout(resolve))
}

test('of ten nodes that begin at once, one does the job', async () => {
  let [beside, most, runs] = [0, 0, 0]
  const run = async () => {
    runs++
    most = Math.max(most, ++beside)
    await turns(2)
    beside--
  }
  const nodes = Array.from({ length: 10 }, (_, i) => newNode(`node-${i}`, { run }))
  const ran = await Promise.all(nodes.map((node) => node.runNow('sweep')))
  expect(ran.filter(Boolean)).toHaveLength(1)
  expect([most, runs]).toEqual([1, 1])
})

test('the node that has a job keeps it; after a crash time frees it, and not before', async () => {
  const [crashed, other] = [newNode('a', { run: nothing }), newNode('b', { run: nothing })]
  expect(await crashed.runNow('sweep')).toBe(true)
  clock.advance(29_999)
  expect(await crashed.runNow('sweep')).toBe(true)
  clock.advance(30_000)
  expect(await other.runNow('sweep')).toBe(false)
  clock.advance(1)
  expect(await other.runNow('sweep')).toBe(true)
  expect(await crashed.runNow('sweep')).toBe(false)
})

test('a clock that ran ahead binds nobody for longer than two leases', async () => {
  const ahead = newTestClock(clock.now() + 3_600_000)
  expect(await newNode('a', { run: nothing }, undefined, ahead).runNow('sweep')).toBe(true)
  expect(await newNode('b', { run: nothing }).runNow('sweep')).toBe(true)
  expect(await newNode('c', { run: nothing }).runNow('sweep')).toBe(false)
})

test('what a process before left is over where there can be no other, and is kept to where there can', async () => {
  const starts = async (sharing: 'alone' | 'primary') => {
    let runs = 0
    await newNode('killed', { run: nothing }).runNow('sweep')
    const jobs = createJobs({ db: { ...database.db, sharing: { kind: sharing } }, clock, log, holder: sharing })
    jobs.add({ name: 'sweep', everyMs: 3_600_000, run: async () => void runs++ })
    await jobs.start()
    await turns()
    await jobs.stop()
    return runs
  }
  expect(await starts('primary')).toBe(0)
  expect(await starts('alone')).toBe(1)
})

test('a run that does not end keeps nobody from stopping longer than their patience, nor its lease from others', async () => {
  const stuck = newNode('a', { run: () => new Promise(() => {}) })
  await stuck.start()
  await turns()
  await stuck.stop(Promise.resolve())
  expect(await newNode('b', { run: nothing }).runNow('sweep')).toBe(true)
})

test('a lease in use is renewed before it ends', async () => {
  const [busy, other] = [newNode('a', { run: nothing }), newNode('b', { run: nothing })]
  for (let i = 0; i < 10; i++) {
    expect(await busy.runNow('sweep')).toBe(true)
    clock.advance(29_000)
    expect(await other.runNow('sweep')).toBe(false)
  }
})

test('stopping tells the run under way, waits for it, and leaves the job to others at once', async () => {
  let ended = false
  const begun = Promise.withResolvers<void>()
  const stopped = newNode('a', {
    run: async (signal) => {
      begun.resolve()
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      await turns(3)
      ended = true
    },
  })
  await stopped.start()
  await begun.promise
  await stopped.stop()
  expect(ended).toBe(true)
  expect(await stopped.runNow('sweep')).toBe(false)
  expect(await newNode('b', { run: nothing }).runNow('sweep')).toBe(true)
})

test('a run is told when its lease ends', async () => {
  const node = newNode('a', { run: (signal) => new Promise((end) => signal.addEventListener('abort', end)) }, 20)
  expect(await node.runNow('sweep')).toBe(true)
})

test('a job for every node runs on every node', async () => {
  const nodes = ['a', 'b'].map((holder) => newNode(holder, { run: nothing, everywhere: true }))
  expect(await Promise.all(nodes.map((node) => node.runNow('sweep')))).toEqual([true, true])
})

test('many kicks are one run more, and kicks between runs are one run', async () => {
  let runs = 0
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const node = newNode('a', { run: () => gates[runs++]?.promise ?? nothing() })
  await node.start()
  await turns()
  for (let i = 0; i < 100; i++) node.kick('sweep')
  await turns()
  expect(runs).toBe(1)
  gates[0]?.resolve()
  await turns()
  expect(runs).toBe(2)
  gates[1]?.resolve()
  await turns()
  expect(runs).toBe(2)
  for (let i = 0; i < 100; i++) node.kick('sweep')
  await turns()
  expect(runs).toBe(3)
  await node.stop()
})

test('runs of one job never overlap on a node', async () => {
  let [beside, most, runs] = [0, 0, 0]
  const node = newNode('a', {
    run: async () => {
      runs++
      most = Math.max(most, ++beside)
      await turns(2)
      beside--
    },
  })
  await node.start()
  await Promise.all(Array.from({ length: 5 }, () => node.runNow('sweep')))
  await node.stop()
  expect(most).toBe(1)
  expect(runs).toBeGreaterThanOrEqual(5)
})

test('a failing job is logged, waits longer, is not hastened by kicks, ends nothing, and recovers', async () => {
  let [runs, others] = [0, 0]
  const recovered = Promise.withResolvers<void>()
  const node = newNode('a', {
    everyMs: 1,
    run: async () => {
      if (++runs <= 3) throw new Error('no luck')
      recovered.resolve()
    },
  })
  node.add({ name: 'other', everyMs: 3_600_000, run: async () => void others++ })
  node.add({ name: 'broken', everyMs: 3_600_000, run: () => Promise.reject(new Error('never')) })
  await node.start()
  await recovered.promise
  expect(others).toBe(1)
  expect(logged.filter((fields) => fields.job === 'sweep').map((fields) => fields.failures)).toEqual([1, 2, 3])
  for (let i = 0; i < 10; i++) node.kick('broken')
  await turns()
  expect(logged.filter((fields) => fields.job === 'broken')).toHaveLength(1)
  await node.stop()
})

test('a job asked for by name says how it failed', async () => {
  const node = newNode('a', { run: () => Promise.reject(new Error('no luck')) })
  await expect(node.runNow('sweep')).rejects.toThrow('no luck')
  expect(() => node.kick('swep')).toThrow('no such job')
})

test('a long job keeps its lease however long it runs, and is told to end once another node has it', async () => {
  const leaseMs = 40
  let ended: unknown = null
  const stands = Promise.withResolvers<void>()
  const busy = newNode(
    'a',
    {
      long: true,
      run: async (signal) => {
        stands.resolve()
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
        ended = signal.aborted
      },
    },
    leaseMs,
  )
  const run = busy.runNow('sweep')
  await stands.promise
  const until = async (least: number) => {
    const find = database.db.orm.select().from(leases).prepare()
    for (;;) {
      const [row] = await find.all()
      if (row && row.until >= least) return
      await turns(1)
    }
  }
  const other = newNode('b', { run: nothing }, leaseMs)
  for (let i = 0; i < 5; i++) {
    clock.advance(leaseMs - 5)
    await until(clock.now() + leaseMs)
    expect(await other.runNow('sweep')).toBe(false)
  }
  clock.advance(leaseMs + 1)
  const taken = { name: 'sweep', holder: 'b', until: clock.now() + leaseMs }
  await database.db.batch([
    statement(builder.insert(leases).values(taken).onConflictDoUpdate({ target: leases.name, set: taken })),
  ])
  expect(await run).toBe(true)
  expect(ended).toBe(true)
})
