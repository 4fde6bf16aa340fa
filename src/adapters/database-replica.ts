// The database as a replica: one thread syncs the file, a plain connection reads it, writes go to the primary over HTTP.
import { AsyncLocalStorage } from 'node:async_hooks'
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { migrate } from '../../db/migrate'
import { migrations } from '../../db/migrations/index'
import { isFailure } from '../errors'
import type { Database, Statement } from '../ports'
import { createDatabase, type Link } from './database'
import { lockProcess, openReader } from './database-libsql'
import { createPrimary } from './primary'
import { type Facts, factsSql, isOlder, readReplica, removeReplica, startSync, toFacts } from './replica'
import { keepSeen, readSeen } from './replica-seen'

type Options = { path: string; url: string; token: string; replicaToken: string }
type Primary = ReturnType<typeof createPrimary>

// How long a write waits for the copy to show it; then reads ask the primary, until the copy has come so far.
const showWithinMs = 1000
const decideWithinMs = 500
const firstCopyWithinMs = 600_000
const catchUpWithinMs = 10_000

/** What the primary says; null where it is out of reach. @throws Error for one that is empty while we have a copy. */
const askPrimary = async ({ read }: Primary, known: Facts | null): Promise<Facts | 'empty' | null> => {
  try {
    return toFacts(await read(factsSql, []))
  } catch (error) {
    if (isFailure(error, 'unavailable')) return null
    if (!String(error).includes('no such table')) throw error
    if (known) throw new Error('The primary is empty, but this node has a copy of what it held. Restore it first.')
    return 'empty'
  }
}

/** Settles at the start that copy and primary are of one history; forgets the copy of an earlier generation. */
const settle = async (path: string, primary: Primary) => {
  const known = readReplica(path)
  const seen = existsSync(path) ? await readSeen(path) : null
  const found = await askPrimary(primary, known ?? seen)
  if (found === null) {
    if (!known) throw new Error('The primary is out of reach, and this node has no copy to start from.')
    if (migrations.some(({ name }) => !known.migrations.has(name)))
      throw new Error('The primary is out of reach, and the copy here is of an earlier version.')
    if (seen && (known.instance !== seen.instance || isOlder(known, seen)))
      throw new Error('The primary is out of reach, and the copy here is not what this node has seen of it.')
    return 'away'
  }
  if (found === 'empty') {
    removeReplica(path)
    return 'new'
  }
  for (const held of [known, seen]) {
    if (held && found.instance !== held.instance)
      throw new Error('The primary is another instance than the one this node has a copy of.')
    if (held && isOlder(found, held))
      throw new Error('The primary is in an older state than this node has seen. Restore it with a new generation.')
  }
  if (known && found.generation === known.generation) return 'known'
  removeReplica(path)
  return 'new'
}

/** Writes at once, read here as soon as they are resolved, however far the copy is. */
const createReplicaLink = (primary: Primary, hurried: Primary, copy: Pick<Link, 'read'>, sync: Sync) => {
  let needed = Number.NEGATIVE_INFINITY
  let isTrusted = () => true
  const asked = new AsyncLocalStorage<true>()
  const isAsking = () => asked.getStore() === true

  const read: Link['read'] = (sql, args) => {
    if (!isTrusted()) return hurried.read(sql, args)
    // Not hurried: it may follow what this request has written or taken in, which a refusal would leave without its answer.
    return sync.frame() >= needed && !isAsking() ? copy.read(sql, args) : primary.read(sql, args)
  }

  const batch = async (statements: readonly Statement[], whenMade = () => {}) => {
    const [before, renewals] = [sync.frame(), sync.renewals()]
    const { outcomes, replicationIndex } = await primary.batch(statements)
    whenMade()
    // A primary that was killed counts anew when it is back.
    if (replicationIndex < before && renewals === sync.renewals()) {
      sync.renew()
      needed = replicationIndex
    }
    const isShown = isTrusted() && (await sync.reach(replicationIndex, showWithinMs))
    if (!isShown) needed = Math.max(needed, replicationIndex)
    return outcomes
  }
  return {
    read,
    batch,
    isAsking,
    asking: <T>(run: () => Promise<T>): Promise<T> => asked.run(true, run),
    askUnless: (trusted: () => boolean): void => {
      isTrusted = trusted
    },
  }
}
type Sync = ReturnType<typeof startSync>

/**
 * Opens the replica at `path` of the primary at `url`, migrating that if need be. While the primary is out of reach it
 * opens on the file alone. `replicaToken` need only read.
 * @throws Error, as a sentence for the operator: another process has the file open, the primary is another one, empty,
 * older than the copy, or out of reach at the very first start.
 */
export const openReplicaDatabase = async ({ path, url, token, replicaToken }: Options): Promise<Database> => {
  const lock = lockProcess(dirname(path))
  let sync: Sync | undefined
  try {
    const primary = createPrimary({ url, token })
    const state = await settle(path, primary)
    if (state !== 'away') await migrate(async (statements) => (await primary.batch(statements)).outcomes)
    sync = startSync({ path, url, token: replicaToken })
    if (state !== 'away') {
      const { replicationIndex } = await primary.batch([])
      const reached = await sync.reach(replicationIndex, state === 'new' ? firstCopyWithinMs : catchUpWithinMs)
      if (!reached && state === 'new') throw new Error('The primary did not give this node a copy of its data.')
    }
    const hurried = createPrimary({ url, token, timeoutMs: decideWithinMs })
    return await serveReplica(path, primary, hurried, sync, () => lock.close())
  } catch (error) {
    await sync?.stop()
    lock.close()
    throw error
  }
}

const serveReplica = async (
  path: string,
  primary: Primary,
  hurried: Primary,
  sync: Sync,
  unlock: () => void,
): Promise<Database> => {
  const reader = openReader(path)
  const { read, batch, ...ask } = createReplicaLink(primary, hurried, reader, sync)
  const seen = await keepSeen(path, async () => toFacts(await reader.read(factsSql, [])))
  const close = async () => {
    await seen.stop()
    await sync.stop()
    reader.close()
    unlock()
  }
  const { pull, onAdvance, progress } = sync
  const copy = { kind: 'copy' as const, read: reader.read, ...ask, pull, onAdvance, progress }
  return createDatabase({ read, batch, close }, copy)
}
