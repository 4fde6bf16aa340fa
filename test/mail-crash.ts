// Sends many mails by a process that is killed in the middle, again and again, and gives what the server got of each.
import { copyFileSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isNull } from 'drizzle-orm'
import { outbox } from '../db/schema'
import { openLocalDatabase } from '../src/adapters/database-libsql'
import { builder, statement } from '../src/write'
import { startSmtp } from './smtp'
import { migratedTemplate, newFolder } from './template'

const sender = join(import.meta.dir, 'mail-sender.ts')
/** Longer than the lease on a mail that was under way. */
const leaseMs = 61_000

const fill = async (path: string, count: number) => {
  mkdirSync(dirname(path), { recursive: true })
  copyFileSync(await migratedTemplate(), path)
  const db = await openLocalDatabase({ path })
  const at = Date.now() - 1000
  const row = { template: 'sign-in', locale: 'en', createdAt: at, dueAt: at } as const
  await db.batch(
    Array.from({ length: count }, (_, i) =>
      statement(builder.insert(outbox).values({ ...row, id: `out_${i}`, about: `chl_${i}` })),
    ),
  )
  await db.close()
}

const countWaiting = async (path: string) => {
  const db = await openLocalDatabase({ path })
  const rows = await db.orm.select({ id: outbox.id }).from(outbox).where(isNull(outbox.sentAt))
  await db.close()
  return rows.length
}

/** `killAfter`: how many mails have arrived each time the process is killed (SIGKILL). */
export const sendThroughCrashes = async (count: number, killAfter: readonly number[]) => {
  const path = join(newFolder(), 'latchkey.db')
  await fill(path, count)
  const server = await startSmtp()
  const run = (round: number) =>
    Bun.spawn([process.execPath, sender, path, JSON.stringify(server.settings), String(round * leaseMs)], {
      stdout: 'pipe',
      stderr: 'inherit',
    })
  for (const [round, mails] of killAfter.entries()) {
    const child = run(round)
    await server.wait(mails)
    child.kill('SIGKILL')
    await child.exited
  }
  const last = run(killAfter.length)
  const reader = last.stdout.getReader()
  await reader.read()
  last.kill('SIGKILL')
  await last.exited
  await server.close()
  const idsOf = new Map<string, string[]>()
  for (const { to, header } of server.received) idsOf.set(to[0]!, [...(idsOf.get(to[0]!) ?? []), header('message-id')!])
  return { idsOf, arrived: server.received.length, waiting: await countWaiting(path) }
}
