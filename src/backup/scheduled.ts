// Backups that are made by themselves: in a process of their own, which holds up no request and may be ended at any moment.
import type { Backups } from '../ports'
import { placeAt, readName, type Target } from './names'

/** How this program is run again, by the settings it has. */
export type Program = { command: string[]; env: Record<string, string | undefined> }

const maxSaid = 500
const longestMs = 86_400_000

/** `everyMs`: how much time there is between two; one that takes longer, or longer than a day, is given up. */
export const createBackups = (target: Target, everyMs: number, { command, env }: Program): Backups => {
  const place = placeAt(target)
  return {
    async list() {
      const names = await place.list()
      return names.flatMap((name) => {
        const named = readName(name)
        return named ? [{ name, ...named }] : []
      })
    },
    async make(signal) {
      const limit = AbortSignal.timeout(Math.min(everyMs, longestMs))
      const child = Bun.spawn([...command, 'backup'], {
        env,
        stdin: 'ignore',
        stdout: 'ignore',
        stderr: 'pipe',
        signal: AbortSignal.any([signal, limit]),
        killSignal: 'SIGKILL',
      })
      const said = await new Response(child.stderr).text()
      const code = await child.exited
      signal.throwIfAborted()
      if (limit.aborted) throw new Error('The backup took longer than a day, or than there is between two of them.')
      if (code !== 0) throw new Error(said.trim().slice(-maxSaid) || `The backup ended with ${code}.`)
    },
  }
}
