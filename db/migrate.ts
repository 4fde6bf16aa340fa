// Applies the migrations a database lacks, in order, once each: one batch per migration, recorded by name and SHA-256.
import { sha256 } from '../src/lib/crypto'
import type { Outcome, Statement } from '../src/ports'
import { type Migration, migrations } from './migrations/index'

/** Sends statements as one transaction, with no tenant guard before it. */
export type Send = (statements: readonly Statement[]) => Promise<Outcome[]>

/** What stands among the migrations while a backup is brought there. */
export const restoring = 'restore under way'

const plain = (sql: string): Statement => ({ sql, args: [] })

const readApplied = async (send: Send) => {
  const [, applied] = await send([
    plain(
      'create table if not exists migrations (name text primary key not null, sha256 text not null, applied_at integer not null)',
    ),
    plain('select name, sha256 from migrations'),
  ])
  return new Map(applied!.rows.map((row) => [row.name, row.sha256]))
}

const apply = (send: Send, { name, text }: Migration) =>
  send([
    {
      sql: 'insert into migrations (name, sha256, applied_at) values (?, ?, unixepoch() * 1000)',
      args: [name, sha256(text)],
    },
    ...text
      .split(/;[ \t]*$/m)
      .filter((sql) => sql.trim() !== '')
      .map(plain),
  ])

/**
 * Brings the database up to `wanted`; does nothing when it is. Several nodes may do so at once: the primary key of
 * `migrations` lets one of them apply each, and the others find it applied.
 * @throws Error, as a sentence for the operator, when an applied migration has since been changed or is of a later version,
 * or a backup is being restored.
 */
export const migrate = async (send: Send, wanted: readonly Migration[] = migrations): Promise<void> => {
  let applied = await readApplied(send)
  if (applied.has(restoring))
    throw new Error('A backup is being restored into this database, or was cut short: let it end, or restore again.')
  const [newer] = [...applied.keys()].filter((name) => !wanted.some((migration) => migration.name === name))
  if (newer !== undefined)
    throw new Error(
      `This database has the migration ${newer}, which this version does not know. Run the version that wrote it, or a later one.`,
    )
  for (const migration of wanted) {
    if (!applied.has(migration.name)) {
      const failure = await apply(send, migration).catch((error: unknown) => error)
      applied = await readApplied(send)
      if (!applied.has(migration.name)) throw failure
    }
    if (applied.get(migration.name) !== sha256(migration.text))
      throw new Error(
        `Migration ${migration.name} was changed after this database applied it. Run the version that wrote it, or restore a backup.`,
      )
  }
}
