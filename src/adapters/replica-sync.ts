// The thread that keeps a replica's file up to date: it pulls every 100 ms and when told to. What blocks in it holds up nobody.
import Libsql from 'libsql'

export type SyncOrder = { path: string; url: string; token: string } | 'pull' | 'renew' | 'stop'
/** How far the file has come, as the primary counts; null when a pull failed; an order that was carried out. */
export type SyncReport = number | null | 'renewed' | 'stopped'

const everyMs = 100
const longestRetryMs = 1000

declare const self: { onmessage: (event: { data: SyncOrder }) => void; postMessage(report: SyncReport): void }

let timer: ReturnType<typeof setTimeout> | undefined
let pull = () => {}
let close = () => {}

const start = ({ path, url, token }: Exclude<SyncOrder, string>) => {
  let replica: Libsql.Database | undefined
  let failures = 0
  pull = () => {
    try {
      replica ??= new Libsql(path, { syncUrl: url, authToken: token } as never)
      self.postMessage((replica.sync() as { frame_no: number }).frame_no)
      failures = 0
    } catch {
      self.postMessage(null)
      failures++
    }
    clearTimeout(timer)
    timer = setTimeout(pull, Math.min(everyMs * 2 ** failures, longestRetryMs))
  }
  close = () => {
    replica?.close()
    replica = undefined
  }
  pull()
}

self.onmessage = ({ data }) => {
  if (typeof data !== 'string') return start(data)
  clearTimeout(timer)
  if (data !== 'pull') close()
  if (data === 'renew') self.postMessage('renewed')
  if (data === 'stop') self.postMessage('stopped')
  // However many orders came during one pull, one more pull serves them all.
  else timer = setTimeout(pull, 0)
}
