// A TCP link in the test's hands: it can be slow, stand still or be cut, for what is open and for what comes.
import { connect, createServer, type Socket } from 'node:net'

type State = 'open' | 'frozen' | 'cut'
export type Link = Awaited<ReturnType<typeof startProxy>>

/** Forwards to `target` (`host:port`). `delayMs` holds up each piece in either direction. */
export const startProxy = async (target: string) => {
  const [host = '', port] = target.split(':')
  const sockets = new Set<Socket>()
  let state: State = 'open'
  let delayMs = 0
  let syncStands = false
  const syncs = new Set<Socket>()

  const carry = (from: Socket, to: Socket) => {
    from.on('data', (piece: Buffer) => {
      if (delayMs === 0) to.write(piece)
      else setTimeout(() => to.destroyed || to.write(piece), delayMs)
    })
    from.on('close', () => to.destroy())
    from.on('error', () => {})
    sockets.add(from)
    from.on('close', () => sockets.delete(from))
    if (state === 'frozen') from.pause()
  }
  const server = createServer((client) => {
    if (state === 'cut') return client.destroy()
    const upstream = connect(Number(port), host)
    // A replica keeps a connection for itself.
    client.once('data', (piece: Buffer) => {
      if (!piece.includes('/wal_log.ReplicationLog/')) return
      syncs.add(upstream)
      if (syncStands) upstream.pause()
    })
    carry(client, upstream)
    carry(upstream, client)
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))

  return {
    url: `http://127.0.0.1:${(server.address() as { port: number }).port}`,
    delay: (ms: number): void => {
      delayMs = ms
    },
    /** Nothing passes and nothing is refused. */
    freeze: (): void => {
      state = 'frozen'
      for (const socket of sockets) socket.pause()
    },
    /** What is open breaks, and nothing new opens. */
    cut: (): void => {
      state = 'cut'
      for (const socket of sockets) socket.destroy()
    },
    /** Answers to a replica that fetches stand still, and nothing else. */
    freezeSync: (): void => {
      syncStands = true
      for (const socket of syncs) socket.pause()
    },
    mend: (): void => {
      state = 'open'
      syncStands = false
      for (const socket of sockets) socket.resume()
    },
    stop: (): void => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
