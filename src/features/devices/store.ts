// The only SQL about known devices.
import { and, desc, eq, inArray, notInArray, sql } from 'drizzle-orm'
import { devices, sessions } from '../../../db/schema'
import { type After, afterArgs, isAfter } from '../../lib/page'
import type { Database, Statement } from '../../ports'
import { builder, inserter, statement } from '../../write'

const ofSession = (sessionId: string) =>
  builder
    .select({ id: devices.id })
    .from(devices)
    .innerJoin(sessions, eq(sessions.deviceId, devices.id))
    .where(eq(sessions.id, sessionId))

export const deviceStore = (db: Database) => {
  const bySecret = db.orm
    .select({ id: devices.id, userId: devices.userId })
    .from(devices)
    .where(eq(devices.secretHash, sql.placeholder('hash')))
    .prepare()
  const list = db.orm
    .select()
    .from(devices)
    .where(and(eq(devices.userId, sql.placeholder('userId')), isAfter(devices.createdAt, devices.id)))
    .orderBy(desc(devices.createdAt), desc(devices.id))
    .limit(sql.placeholder('limit'))
    .prepare()

  return {
    /** Every user's row of one browser. */
    bySecret: (hash: string) => bySecret.all({ hash }),
    /** A person's devices, newest first. */
    list: (userId: string, after: After | null, limit: number) => list.all({ userId, limit, ...afterArgs(after) }),
    insert: inserter(devices),
    used: (id: string, label: string, now: number) =>
      statement(builder.update(devices).set({ label, lastUsedAt: now }).where(eq(devices.id, id))),
    /** Keeps the `most` devices of a person that were used last. */
    keepNewest: (userId: string, most: number) => {
      const newest = builder
        .select({ id: devices.id })
        .from(devices)
        .where(eq(devices.userId, userId))
        .orderBy(desc(devices.lastUsedAt), desc(devices.id))
        .limit(most)
      return statement(builder.delete(devices).where(and(eq(devices.userId, userId), notInArray(devices.id, newest))))
    },
    /** Changes no row when it is not theirs. */
    remove: (userId: string, id: string) =>
      statement(builder.delete(devices).where(and(eq(devices.userId, userId), eq(devices.id, id)))),
    removeOfSession: (userId: string, sessionId: string) =>
      statement(
        builder.delete(devices).where(and(eq(devices.userId, userId), inArray(devices.id, ofSession(sessionId)))),
      ),
    removeAll: (userId: string, exceptOfSession: string | null): Statement =>
      statement(
        builder
          .delete(devices)
          .where(
            and(
              eq(devices.userId, userId),
              exceptOfSession === null ? undefined : notInArray(devices.id, ofSession(exceptOfSession)),
            ),
          ),
      ),
  }
}
