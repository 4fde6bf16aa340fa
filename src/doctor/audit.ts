// `latchkey audit verify <file>`: an export or a copy of the database, held against the public key and published heads.
import { copyFileSync, createReadStream, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { openLocalDatabase } from '../adapters/database-libsql'
import type { Mark } from '../features/audit/chain'
import { readPublished, verifyExport } from '../features/audit/offline'
import { auditStore } from '../features/audit/store'
import { type Broken, createVerifier } from '../features/audit/verify'
import { createVerifierOf } from '../lib/ed25519'

type Found = { what: string; broken: Broken[] }

const options = { key: { type: 'string', multiple: true }, published: { type: 'string' } } as const

/** What `audit verify` was asked for: a file or none, public keys, and a log with the heads that were published. */
export const readVerifyArgs = (args: string[]) => {
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true })
  const [file, ...more] = positionals
  if (more.length > 0) throw new Error('latchkey audit verify [file] [--key <public key>]… [--published <log>]')
  const lines = values.published === undefined ? [] : readFileSync(values.published, 'utf8').split('\n')
  return { file, keys: values.key ?? [], publishedBy: (keys: readonly string[]) => readPublished(lines, keys) }
}

const verifyCopy = async (file: string, keys: readonly string[], published: readonly Mark[]): Promise<Found> => {
  // A database belongs to one process, and reading one writes beside it: what was handed over stays as it is.
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-verify-'))
  try {
    for (const end of ['', '-wal'])
      if (existsSync(file + end)) copyFileSync(file + end, join(folder, `latchkey.db${end}`))
    const db = await openLocalDatabase({ path: join(folder, 'latchkey.db') })
    const isSigned = (text: string, { signature }: { signature: string }) =>
      keys.some((key) => createVerifierOf(key)(text, signature))
    const verifier = createVerifier({ store: auditStore(db), isSigned, inTurn: (piece) => piece() })
    const { chains, broken } = await verifier.verifyAll(published)
    await db.close()
    return { what: `${chains} audit chains`, broken }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Verifies a file with public keys alone. @throws Error, as a sentence, for what is neither an export nor a database. */
export const verifyFile = async (file: string, keys: readonly string[], published: readonly Mark[]): Promise<Found> => {
  if (keys.length === 0) throw new Error('Say whose signature to expect: --key <public key>.')
  const head = readFileSync(file).subarray(0, 15).toString('latin1')
  if (head === 'SQLite format 3') return verifyCopy(file, keys, published)
  const lines = createInterface({ input: createReadStream(file) })
  const { events, breach } = await verifyExport(lines, keys, published)
  return { what: `${events} events`, broken: breach ? [{ chain: file, ...breach }] : [] }
}
