// The only SQL about users.
import { eq, sql } from 'drizzle-orm'
import { users } from '../../../db/schema'
import type { Database } from '../../ports'
import { builder, statement } from '../../write'

export type UserRow = typeof users.$inferSelect

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

  return {
    byId: (id: string) => byId.get({ id }),
    byAddress: (hash: string) => byAddress.get({ hash }),
    insert: (row: typeof users.$inferInsert) => statement(builder.insert(users).values(row)),
    update: (id: string, change: Partial<Pick<UserRow, 'name' | 'locale'>>) =>
      statement(builder.update(users).set(change).where(eq(users.id, id))),
  }
}
