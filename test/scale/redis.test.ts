// Limits on a real Redis: shared by nodes, made up for in memory while it is away or hangs, shared again when it is back.
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { systemClock } from '../../src/adapters/clock'
import { openRedisLimiter } from '../../src/adapters/limiter-redis'
import type { Plans } from '../../src/limits'
import type { Limiter } from '../../src/ports'
import { freePort, hasRedis, type RunningRedis, startRedis } from '../redis'
import { newTestLog, type TestApp, testApp } from '../support'

const rate = { limit: 3, windowMs: 60_000 }
const plans: Plans = { address: {}, plans: { default: { workspace: {}, caller: { read: rate }, quotas: {} } } }

describe.skipIf(!hasRedis())('limits on Redis', () => {
  let redis: RunningRedis
  let port: number
  let endings: (() => Promise<unknown>)[]
  beforeEach(async () => {
    port = await freePort()
    redis = await startRedis(port)
    endings = []
  })
  afterEach(async () => {
    for (const end of endings) await end()
    await redis.kill()
  })

  const open = async () => {
    const { log, events } = newTestLog()
    const opened = await openRedisLimiter({ url: `redis://127.0.0.1:${port}`, clock: systemClock, log })
    endings.push(opened.close)
    const says = () => events.map((event) => `${event.level}: ${event.message}`)
    return { limiter: opened.limiter as Extract<Limiter, { isLocal: false }>, says }
  }
  const until = async (isSo: () => unknown) => {
    for (const giveUpAt = performance.now() + 8000; !(await isSo()); await Bun.sleep(20))
      if (performance.now() > giveUpAt) throw new Error('it did not come to that')
  }
  const connected = ({ limiter }: { limiter: Limiter }) =>
    until(async () => {
      await limiter.take(`warm ${Math.random()}`, rate)
      return !limiter.isLocal && !limiter.isAway()
    })
  const start = async (): Promise<TestApp & { says: () => string[] }> => {
    const { limiter, says } = await open()
    await connected({ limiter })
    const t = await testApp({ env: { LATCHKEY_RATE_LIMITS: 'default' }, ports: { plans, limiter } })
    endings.push(t.stop)
    return { ...t, says }
  }

  test('two nodes share them, and a window ends', async () => {
    const [one, two] = [await open(), await open()]
    await Promise.all([connected(one), connected(two)])
    const short = { limit: 3, windowMs: 1000 }
    const grants = [
      await one.limiter.take('k', short),
      await two.limiter.take('k', short),
      await one.limiter.take('k', short),
    ]
    expect(grants.map(({ isAllowed, remaining }) => [isAllowed, remaining])).toEqual([
      [true, 2],
      [true, 1],
      [true, 0],
    ])
    const refused = await two.limiter.take('k', short)
    expect(refused.isAllowed).toBe(false)
    expect(refused.waitMs).toBeLessThanOrEqual(1000)
    expect((await two.limiter.take('other', short)).isAllowed).toBe(true)
    await until(async () => (await two.limiter.take('k', short)).isAllowed)
  })

  test('four hundred at once on two nodes are let through as often as the limit says', async () => {
    const nodes = [await open(), await open()]
    await Promise.all(nodes.map(connected))
    const wide = { limit: 100, windowMs: 60_000 }
    const grants = await Promise.all(Array.from({ length: 400 }, (_, i) => nodes[i % 2]!.limiter.take('k', wide)))
    expect(grants.filter((grant) => grant.isAllowed).length).toBe(100)
  })

  test('a request over its limit is refused with 429 before its body is read', async () => {
    const t = await start()
    const admin = await t.signIn('ada@example.com')
    const seen = []
    for (let i = 0; i < 4; i++) seen.push(await admin.get('/api/whoami'))
    // The first of the three was the sign-in's own.
    expect(seen.map((answer) => answer.status)).toEqual([200, 200, 429, 429])
    expect(seen[2]!.headers.get('ratelimit-policy')).toBe('"user";q=3;w=60')
    const create = await admin.post('/api/projects', { name: 'written apart' })
    expect(create.status).toBe(201)
    const stranger = await t.call('POST', '/api/projects', { raw: '{' })
    expect(stranger.status).toBe(401)
  })

  test('away in mid-run, requests go on under limits in memory, the log says so once, and they are shared again', async () => {
    const t = await start()
    const admin = await t.signIn('ada@example.com')
    await redis.kill()
    const seen: number[] = []
    for (let i = 0; i < 6; i++) seen.push((await admin.get('/api/whoami')).status)
    expect(seen).toEqual([200, 200, 200, 429, 429, 429])
    expect(t.says()).toEqual(['warn: Redis is away: each node limits by itself'])
    const operators = t.app.services.limitsAreApart
    expect(operators()).toBe(true)
    redis = await startRedis(port)
    await until(async () => {
      await admin.get('/api/whoami')
      return !operators()
    })
    expect(t.says()).toEqual([
      'warn: Redis is away: each node limits by itself',
      'info: Redis is back: nodes share their limits again',
    ])
    const again: number[] = []
    for (let i = 0; i < 4; i++) again.push((await admin.get('/api/whoami')).status)
    expect(again.at(-1)).toBe(429)
  }, 20_000)

  test('one that hangs costs a request its timeout once, not every request', async () => {
    const node = await open()
    await connected(node)
    redis.hang()
    const from = performance.now()
    const grants = []
    for (let i = 0; i < 5; i++) grants.push((await node.limiter.take('k', rate)).isAllowed)
    expect(grants).toEqual([true, true, true, false, false])
    expect(performance.now() - from).toBeLessThan(1500)
    expect(node.says()).toEqual(['warn: Redis is away: each node limits by itself'])
    redis.wake()
    await until(async () => {
      await node.limiter.take('k', rate)
      return !node.limiter.isAway()
    })
  }, 20_000)

  test('it need not be there when the program starts', async () => {
    await redis.kill()
    const node = await open()
    expect((await node.limiter.take('k', rate)).isAllowed).toBe(true)
    redis = await startRedis(port)
    await connected(node)
  }, 20_000)
})
