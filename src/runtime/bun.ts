// Bun: listens, opens what the settings name, hands each request to the app, and stops in order.
import { systemClock } from '../adapters/clock'
import { createApp } from '../app'
import { createBackups, type Program } from '../backup/scheduled'
import { demandApart } from '../backup/target'
import type { Config, Secrets } from '../config'
import type { Intake } from '../http/intake'
import { clientBehind, createNetworks } from '../lib/networks'
import type { Clock, Log } from '../ports'
import { pagesOf } from './pages'
import { openPorts } from './ports'

// Above the cap on media, so that too large an upload gets the app's own answer.
const spareBytes = 1 << 20

const starting: Intake = () => new Response(null, { status: 503, headers: { 'retry-after': '1' } })
const listen = ({ listen: { host, port }, mediaMaxBytes, trustedProxies }: Config, handler: () => Intake) => {
  const isTrusted = createNetworks(trustedProxies)
  return Bun.serve({
    hostname: host,
    port,
    maxRequestBodySize: mediaMaxBytes + spareBytes,
    development: false,
    // Else two servers could listen on one port, and each request would go to either.
    reusePort: false,
    fetch: (request, server) => {
      const remote = () => {
        const peer = server.requestIP(request)?.address
        return peer === undefined ? null : clientBehind(isTrusted, peer, request.headers)
      }
      // Bun ends what has been silent for 10 s; streams wait as long as their other end does, and keep their own pace.
      return handler()(request, remote, (seconds = 0) => server.timeout(request, seconds))
    },
    error: () => new Response(null, { status: 500 }),
  })
}

export type Running = {
  /** Where it listens, as a URL. */
  listening: string
  config: Config
  /**
   * Takes no more, lets what is under way finish within a limit, writes what was only noted in memory, and closes
   * everything. Gives whether all of it was written; never fails, and never takes longer than both limits together.
   */
  stop(): Promise<boolean>
}

type Options = { graceMs?: number; clock?: Clock; program?: Program }

// Together less than the 10 s after which `docker stop` kills.
const defaultGraceMs = 7000
const lastMs = 2500

/** Null where the settings name no place for them. @throws Error, as a sentence, for one where the data is. */
const openBackups = (config: Config, { backupS3 }: Secrets, program: Program | undefined) => {
  const { backups } = config
  if (!backups || !program) return null
  demandApart(config)
  return createBackups({ to: backups.to, keys: backupS3 }, backups.everyMs, program)
}

/**
 * Starts. `settle` gives the settings for the port that was really taken, which origin and hosts may follow from.
 * `graceMs`: how long requests and jobs under way may still take once it stops. `program`: how backups are made by themselves.
 * @throws Error, as a sentence for the operator, when something does not open.
 */
export const startServer = async (
  settle: (port?: number) => { config: Config; secrets: Secrets },
  log: Log,
  { graceMs = defaultGraceMs, clock = systemClock, program }: Options = {},
): Promise<Running> => {
  let handler = starting
  const server = listen(settle().config, () => handler)
  try {
    const { config, secrets } = settle(server.port)
    // First: what it refuses has then opened nothing.
    const backups = openBackups(config, secrets, program)
    const { ports, inbox, close } = await openPorts(config, secrets, log, clock)
    const all = { ...ports, ...(backups && { backups }) }
    const app = await createApp(config, all, pagesOf(inbox))
    await app.start()
    handler = app.fetch
    const stop = async () => {
      const { sleep } = ports.clock
      const [grace, over] = [sleep(graceMs), sleep(graceMs + lastMs)]
      const served = Promise.race([server.stop(), grace]).then(() => server.stop(true))
      const lost = await Promise.race([app.stop(served, grace), over])
      if (!lost) log.error({}, 'what was noted in memory was not written in time')
      const closed = close().catch((error) => log.error({ error }, 'not closed in order'))
      await Promise.race([closed, over])
      log.flush()
      return lost?.length === 0
    }
    return { listening: server.url.origin, config, stop }
  } catch (error) {
    await server.stop(true)
    throw error
  }
}
