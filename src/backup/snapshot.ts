// A database file read from beside its server: its copy at one instant, and what a backup says of it.
import { createHash } from 'node:crypto'
import { existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import Libsql from 'libsql'
import type { media } from '../../db/schema'
import { lockIfFree } from '../adapters/database-libsql'
import { createPrimary } from '../adapters/primary'
import { factsSql, toFacts } from '../adapters/replica'
import type { Header } from './archive'
import { copyPrimary } from './copy-primary'
import { demandRoom, orFull } from './room'
import { hidden, withWorkplace } from './workplace'

type Facts = Omit<Header, 'version' | 'createdAt' | 'mediaAt'>
export type Medium = Pick<
  typeof media.$inferSelect,
  'workspaceId' | 'id' | 'version' | 'blob' | 'size' | 'sha256' | 'key'
>

const withFile = <T>(path: string, work: (file: Libsql.Database) => T): T => {
  const file = new Libsql(path)
  try {
    return work(file)
  } finally {
    file.close()
  }
}
const rowsOf = <T>(file: Libsql.Database, sql: string) => file.prepare<never[]>(sql).all() as T[]

/** What a database says of itself. It must be a copy that nobody else has open. */
export const factsOf = (path: string): Facts =>
  withFile(path, (file) => {
    const meta = new Map(
      rowsOf<{ name: string; value: string }>(file, 'select * from meta').map((r) => [r.name, r.value]),
    )
    const tables = rowsOf<{ name: string }>(
      file,
      "select name from sqlite_schema where type = 'table' and name not like 'sqlite~_%' escape '~' order by name",
    )
    const count = (name: string) => rowsOf<{ n: number }>(file, `select count(*) as n from "${name}"`)[0]!.n
    const heads = createHash('sha256')
    for (const head of rowsOf(file, 'select * from audit_heads order by chain')) heads.update(JSON.stringify(head))
    // Whatever a master key has wrapped stands in a column of that name.
    const wrapping = rowsOf<{ name: string }>(
      file,
      "select s.name from sqlite_schema s, pragma_table_info(s.name) c where s.type = 'table' and c.name = 'wrapped'",
    )
    const kids = wrapping.flatMap(({ name }) =>
      rowsOf<{ kid: string }>(
        file,
        `select distinct substr(wrapped, 1, instr(wrapped, '.') - 1) as kid from "${name}"`,
      ),
    )
    return {
      instance: meta.get('instance_id') ?? '',
      generation: Number(meta.get('generation')),
      masterKids: [...new Set(kids.map(({ kid }) => kid))].sort(),
      migrations: rowsOf<{ name: string }>(file, 'select name from migrations order by name').map(({ name }) => name),
      counts: Object.fromEntries(tables.map(({ name }) => [name, count(name)])),
      auditHeads: heads.digest('hex'),
    }
  })

const atOnce = 1000
const mediumColumns = 'f.workspace_id as workspaceId, f.id, f.version, f.blob, f.size, f.sha256, f.key'
/** Every file as it is, and as it was: the tables that name objects. */
export const mediaTables = {
  media: `select ${mediumColumns} from media f where deleted_at is null`,
  media_versions: `select ${mediumColumns} from media_versions f
    join media m on m.workspace_id = f.workspace_id and m.id = f.id where m.deleted_at is null`,
}

/** The media that a copy of a database says is there, in the order of its keys, however much; not what was deleted. */
export function* mediaOf(path: string): Generator<Medium> {
  const file = new Libsql(path)
  try {
    const selects = Object.values(mediaTables).map((select) => `${select} and f.blob > ?1`)
    const next = file.prepare<[string, number]>(`${selects.join(' union all ')} order by blob limit ?2`)
    for (let after = '', found: Medium[] = []; ; after = found.at(-1)!.blob) {
      found = next.all(after, atOnce) as Medium[]
      yield* found
      if (found.length < atOnce) return
    }
  } finally {
    file.close()
  }
}

/** Whether every page and index of a copy is sound. */
export const isSound = (path: string): boolean =>
  withFile(
    path,
    (file) => rowsOf<{ integrity_check: string }>(file, 'pragma integrity_check')[0]?.integrity_check === 'ok',
  )

/** A database: a file beside its server, or a primary that nodes share. `readToken` need only read. */
export type DatabaseAt =
  | { kind: 'local'; path: string }
  | { kind: 'primary'; url: string; token: string; readToken: string }

const noDatabase = () => new Error('There is no database to back up.')

const copyFile = async (path: string, copy: string) => {
  const sizeOf = (name: string) => statSync(name, { throwIfNoEntry: false })?.size ?? 0
  await demandRoom(dirname(copy), sizeOf(path) + sizeOf(`${path}-wal`))
  // Nobody who serves it: then nobody may begin to while what a crash left in the WAL is taken up.
  const lock = lockIfFree(dirname(path))
  try {
    withFile(path, (file) => file.prepare<[string]>('vacuum into ?').run(copy))
  } finally {
    lock?.close()
  }
}

export const outOfReach = () => new Error('The primary is out of reach, or takes no token of ours.')

/** What a primary says of itself; null for an empty one, or one that is being restored. @throws Error, as a sentence */
const askPrimary = async ({ url, readToken }: { url: string; readToken: string }): Promise<Known | null> => {
  try {
    const { instance, generation } = toFacts(await createPrimary({ url, token: readToken }).read(factsSql, []))
    return instance === null ? null : { instance, generation }
  } catch (error) {
    if (String(error).includes('no such table')) return null
    throw outOfReach()
  }
}

type Known = { instance: string; generation: number }

/** The instance that a database is of, also while it is served; null where there is none. @throws Error, as a sentence */
export const instanceAt = async (at: DatabaseAt): Promise<Known | null> => {
  if (at.kind === 'primary') return askPrimary(at)
  if (!existsSync(at.path)) return null
  return withFile(at.path, (file) => {
    file.exec('pragma query_only = on')
    const { instance, generation } = toFacts(file.prepare<never[]>(factsSql).raw(true).all() as unknown[][])
    return { instance, generation }
  })
}

/**
 * Hands over a copy of the database as it is at one instant, made in `folder`, and removes it afterwards. Whoever serves
 * it goes on: a reader of a WAL holds up no writer, and neither does one more copy of a primary. One at a time.
 */
export const withSnapshot = async <T>(
  at: DatabaseAt,
  folder: string,
  work: (copy: string) => Promise<T>,
): Promise<T> => {
  if (at.kind === 'local' && !existsSync(at.path)) throw noDatabase()
  return withWorkplace(join(folder, hidden.backup), 'Another backup of this database is under way.', async (beside) => {
    const copy = join(beside, 'latchkey.db')
    if (at.kind === 'local') await copyFile(at.path, copy)
    else if (await askPrimary(at)) await copyPrimary(at, copy)
    else throw noDatabase()
    return work(copy)
  }).catch(orFull)
}
