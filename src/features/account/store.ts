// The only SQL about users.
import { and, asc, eq, gt, gte, isNull, ne, type SQL, sql } from 'drizzle-orm'
import { formerAddresses, users } from '../../../db/schema'
import { Failure } from '../../errors'
import type { Database } from '../../ports'
import { builder, demanding, inserter, statement } from '../../write'

export type UserRow = typeof users.$inferSelect

const given = sql.placeholder
const isFree = demanding<{ hash: string; now: number; userId: string }>(
  sql`not exists (select 1 from ${formerAddresses} where ${and(
    ...[eq(formerAddresses.addressHash, given('hash')), ne(formerAddresses.userId, given('userId'))],
    ...[isNull(formerAddresses.endedAt), gt(formerAddresses.expiresAt, given('now'))],
  )})`,
  new Failure('conflict'),
)
const hasAddress = demanding<{ id: string; hash: string }>(
  sql`exists (select 1 from ${users} where ${and(eq(users.id, given('id')), eq(users.addressHash, given('hash')))})`,
  new Failure('conflict'),
)

export const userStore = (db: Database) => {
  const byId = db.orm
    .select()
    .from(users)
    .where(eq(users.id, sql.placeholder('id')))
    .prepare()
  const byAddress = db.orm
    .select()
    .from(users)
    .where(eq(users.addressHash, sql.placeholder('hash')))
    .prepare()
  const former = (condition: SQL | undefined) =>
    db.orm.select().from(formerAddresses).where(condition).orderBy(asc(formerAddresses.createdAt)).prepare()
  const formerById = former(eq(formerAddresses.id, sql.placeholder('id')))
  const formerOf = former(eq(formerAddresses.userId, sql.placeholder('userId')))
  const returnable = former(
    and(
      eq(formerAddresses.addressHash, sql.placeholder('hash')),
      isNull(formerAddresses.endedAt),
      gt(formerAddresses.expiresAt, sql.placeholder('now')),
    ),
  )

  return {
    formerById: (id: string) => formerById.get({ id }),
    formerOf: (userId: string) => formerOf.all({ userId }),
    /** The first change away from an address that can still be taken back. */
    returnable: (hash: string, now: number) => returnable.get({ hash, now }),
    insertFormer: (row: typeof formerAddresses.$inferInsert) => statement(builder.insert(formerAddresses).values(row)),
    /** Ends what a user's changes since `createdAt` left to be taken back. */
    endFormer: (userId: string, createdAt: number, now: number) =>
      statement(
        builder
          .update(formerAddresses)
          .set({ endedAt: now })
          .where(
            and(
              ...[eq(formerAddresses.userId, userId), gte(formerAddresses.createdAt, createdAt)],
              isNull(formerAddresses.endedAt),
            ),
          ),
      ),
    /** Fails the batch where the address may still be taken back by somebody else. */
    isFree: (hash: string, now: number, userId: string) => isFree({ hash, now, userId }),
    hasAddress: (id: string, hash: string) => hasAddress({ id, hash }),
    /** Changes no row unless the user has the address `before`. */
    move: (id: string, before: string, to: Pick<UserRow, 'addressHash' | 'addressSealed'>) =>
      statement(
        builder
          .update(users)
          .set(to)
          .where(and(eq(users.id, id), eq(users.addressHash, before))),
      ),
    remove: (id: string) => [
      statement(builder.delete(formerAddresses).where(eq(formerAddresses.userId, id))),
      statement(builder.delete(users).where(eq(users.id, id))),
    ],
    removeFormerBefore: (instant: number) =>
      statement(builder.delete(formerAddresses).where(gt(sql`${instant}`, formerAddresses.expiresAt))),
    byId: (id: string) => byId.get({ id }),
    byAddress: (hash: string) => byAddress.get({ hash }),
    insert: inserter(users),
    update: (id: string, change: Partial<Pick<UserRow, 'name' | 'locale'>>) =>
      statement(builder.update(users).set(change).where(eq(users.id, id))),
  }
}
