// What a node has seen of its primary's history, kept beside its copy: a copy follows a primary that goes back, this does not.
import { open, readFile, rename } from 'node:fs/promises'
import { type Facts, isOlder, seenAt } from './replica'

const everyMs = 1000

/** What was kept beside the copy at `path`; null where nothing was, or nothing that can be read. */
export const readSeen = async (path: string): Promise<Facts | null> => {
  try {
    return JSON.parse(await readFile(seenAt(path), 'utf8')) as Facts
  } catch {
    return null
  }
}

/** Keeps what `read` finds in the copy, each second while it goes on; never what is of another history or an older state. */
export const keepSeen = async (path: string, read: () => Promise<Facts>) => {
  let seen = await readSeen(path)
  const look = async () => {
    const facts = await read()
    if (seen && !(facts.instance === seen.instance && isOlder(seen, facts))) return
    const beside = `${seenAt(path)}.new`
    const file = await open(beside, 'w')
    await file.writeFile(JSON.stringify(facts))
    await file.sync()
    await file.close()
    await rename(beside, seenAt(path))
    seen = facts
  }
  let last: Promise<void> = Promise.resolve()
  const note = () => {
    last = last.then(look).catch(() => {})
    return last
  }
  await note()
  const timer = setInterval(() => void note(), everyMs)
  return {
    stop: async (): Promise<void> => {
      clearInterval(timer)
      await note()
    },
  }
}
