// A real redis-server for tests: Debian's, on a port of its own, keeping nothing on disk, gone when stopped.
import { createServer } from 'node:net'

export const hasRedis = (): boolean => Bun.which('redis-server') !== null

export const freePort = () =>
  new Promise<number>((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })

/** Starts one and waits until it answers. `hang` stops it without ending it: connections stay open, nothing answers. */
export const startRedis = async (port: number) => {
  const settings = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  const child = Bun.spawn(['redis-server', ...settings], { stdout: 'ignore', stderr: 'ignore' })
  const answers = () =>
    new Promise<boolean>((resolve) => {
      Bun.connect({
        hostname: '127.0.0.1',
        port,
        socket: {
          open: (socket) => void socket.write('PING\r\n'),
          data: (socket) => {
            socket.end()
            resolve(true)
          },
          connectError: () => resolve(false),
        },
      }).catch(() => resolve(false))
    })
  while (!(await answers())) {
    if (child.exitCode !== null) throw new Error('redis-server did not start')
    await Bun.sleep(10)
  }
  const kill = async () => {
    child.kill('SIGKILL')
    await child.exited
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    kill,
    hang: () => child.kill('SIGSTOP'),
    wake: () => child.kill('SIGCONT'),
  }
}
export type RunningRedis = Awaited<ReturnType<typeof startRedis>>
