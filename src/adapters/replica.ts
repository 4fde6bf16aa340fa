// A replica's file as the program sees it: how far it has come, who waits for it, and what it says of its instance.
import { existsSync, rmSync, statSync } from 'node:fs'
import Libsql from 'libsql'
import type { SyncOrder, SyncReport } from './replica-sync'

/** What must never go back: which instance a database is of, its generation and its newest revocation. */
export type Facts = { instance: string; generation: number; seq: number }

export const isOlder = (one: Facts, other: Facts): boolean =>
  one.generation < other.generation || (one.generation === other.generation && one.seq < other.seq)

export const factsSql =
  "select (select value from meta where name = 'instance_id'), cast((select value from meta where name = 'generation') as integer), (select coalesce(max(seq), 0) from revocations)"

export const toFacts = ([row]: readonly unknown[][]): Facts => {
  const [instance, generation, seq] = row as [string, number, number]
  return { instance, generation, seq }
}

/** What the file at `path` says, and which migrations it has; null where there is none. */
export const readReplica = (path: string): (Facts & { migrations: Set<string> }) | null => {
  if (!existsSync(path)) return null
  const file = new Libsql(path)
  try {
    const rows = (text: string) => file.prepare<never[]>(text).raw(true).all() as unknown[][]
    const names = rows('select name from migrations').map(([name]) => String(name))
    return { ...toFacts(rows(factsSql)), migrations: new Set(names) }
  } catch {
    return null
  } finally {
    file.close()
  }
}

const mark = '-client_wal_index'
/** Where it is kept what was seen of the primary, beside the copy at `path`. */
export const seenAt = (path: string): string => `${path}-seen`

const filesOf = (path: string) => [path, `${path}-wal`, `${path}-shm`, path + mark]
const changedAt = (file: string) => statSync(file, { throwIfNoEntry: false })?.mtimeMs

/** Removes a copy and what libSQL keeps beside it, so that it is made anew. @throws Error for a file that is no copy. */
export const removeReplica = (path: string): void => {
  if (existsSync(path) && !existsSync(path + mark))
    throw new Error('LATCHKEY_DATABASE names a file that is no copy of a primary: name one that is not there yet.')
  for (const file of [...filesOf(path), seenAt(path)]) rmSync(file, { force: true })
}

const stopWithinMs = 4000
const nowhere = -1

declare const BUILT_AS: 'binary' | undefined
// In the binary everything of ours lies where its entry does.
const syncModule = typeof BUILT_AS === 'undefined' ? './replica-sync.ts' : './adapters/replica-sync.ts'

type Waiter = { index: number; come(reached: boolean): void }

/** Starts the thread that syncs. `frame`: how far the file has come. */
export const startSync = (order: Exclude<SyncOrder, string>) => {
  const worker = new Worker(new URL(syncModule, import.meta.url).href)
  const send = (message: SyncOrder) => worker.postMessage(message)
  const listeners = new Set<() => void>()
  let waiters: Waiter[] = []
  let frame = nowhere
  let isRenewing = false
  let renewals = 0

  let reports = 0
  let stopped = () => {}
  let pulled = (_isWhole: boolean) => {}
  worker.onmessage = ({ data }: MessageEvent<SyncReport>) => {
    reports++
    if (data === 'stopped') return stopped()
    if (data === 'renewed') isRenewing = false
    else pulled(data !== null)
    if (typeof data !== 'number' || data === frame || isRenewing) return
    frame = data
    for (const { index, come } of waiters) if (index <= data) come(true)
    for (const listener of listeners) listener()
  }
  send(order)

  return {
    frame: () => frame,
    progress: () => [reports, ...filesOf(order.path).map(changedAt)].join(),
    renewals: () => renewals,
    pull: () => send('pull'),
    /** Whether the pull that ends next brought all there was. */
    pulled: (): Promise<boolean> =>
      new Promise((resolve) => {
        pulled = resolve
      }),
    /** The primary counts anew: how far the file has come is not known until it has been asked again. */
    renew: (): void => {
      frame = nowhere
      renewals++
      if (!isRenewing) send('renew')
      isRenewing = true
    },
    onAdvance: (listener: () => void): void => void listeners.add(listener),
    /** Whether the file has come to `index` within `ms`. */
    reach: (index: number, ms: number): Promise<boolean> => {
      if (frame >= index) return Promise.resolve(true)
      return new Promise((resolve) => {
        const come = (reached: boolean) => {
          clearTimeout(timer)
          waiters = waiters.filter((other) => other !== waiter)
          resolve(reached)
        }
        const waiter = { index, come }
        const timer = setTimeout(() => come(false), ms)
        waiters.push(waiter)
        send('pull')
      })
    },
    /** Lets a pull under way end, since a thread that is ended during one takes the process down with it; a stuck one is left. */
    async stop(): Promise<void> {
      const done = new Promise<void>((resolve) => {
        stopped = resolve
      })
      send('stop')
      const ended = await Promise.race([
        done.then(() => true),
        new Promise<false>((r) => setTimeout(r, stopWithinMs, false)),
      ])
      if (ended) worker.terminate()
    },
  }
}
