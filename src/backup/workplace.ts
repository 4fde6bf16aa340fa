// A hidden folder in which one process works at a time: empty at first and gone afterwards, also where it is told to end.
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { lockIfFree } from '../adapters/database-libsql'

/** In the folder of the data, since what is in them is as private. */
export const hidden = { backup: '.backup', drill: '.drill' }

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Hands over a folder inside the one at `path`. `busy`: what is said while another process works there. @throws Error with `busy` */
export const withWorkplace = async <T>(
  path: string,
  busy: string,
  work: (folder: string) => Promise<T>,
): Promise<T> => {
  const lock = lockIfFree(path)
  if (lock === null) throw new Error(busy)
  const folder = join(path, 'work')
  const end = () => {
    rmSync(path, { recursive: true, force: true })
    process.exit(1)
  }
  for (const signal of signals) process.once(signal, end)
  try {
    // What one that was killed left behind.
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { mode: 0o700 })
    return await work(folder)
  } finally {
    for (const signal of signals) process.off(signal, end)
    rmSync(path, { recursive: true, force: true })
    lock.close()
  }
}
