// Pages of a list, newest first: the query a list takes, the cursor inside it, the answer it gives.
import { type Column, type SQL, sql } from 'drizzle-orm'
import { z } from 'zod'

/** The last row already seen: its instant and, where instants are equal, its id. */
export type After = { at: number; id: string }
export type Page<T> = { data: T[]; next_cursor: string | null }

/** A row as the cursor that the next page is asked for by. */
export const cursorOf = ({ at, id }: After): string => Buffer.from(`${at}.${id}`).toString('base64url')

const decode = (text: string): After | null => {
  const match = /^(\d{1,15})\.(\w{1,64})$/.exec(Buffer.from(text, 'base64url').toString('latin1'))
  const after = match && { at: Number(match[1]), id: match[2]! }
  return after && cursorOf(after) === text ? after : null
}

/** `?limit=&cursor=`: 1 to 100 rows, 50 by default. A list with filters extends it. A made-up cursor is invalid. */
export const PageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(100).default(50),
  cursor: z
    .string()
    .max(200)
    .optional()
    .transform((text, context): After | null => {
      if (text === undefined) return null
      const after = decode(text)
      if (!after) context.addIssue({ code: 'custom', message: 'Not a cursor of this list' })
      return after
    }),
})
export type PageQuery = z.output<typeof PageQuery>

/** The answer of a list of `item`, as a schema. */
export const listOf = <T extends z.ZodType>(item: T) =>
  z.object({ data: z.array(item), next_cursor: z.string().nullable() })

/**
 * Condition of a prepared query for rows beyond the cursor, where it orders by `at` and `id`, both descending. Written
 * as a row value, so that an index over both serves it. Its placeholders are bound by `afterArgs`.
 */
export const isAfter = (at: Column, id: Column): SQL =>
  sql`(${at}, ${id}) < (${sql.placeholder('afterAt')}, ${sql.placeholder('afterId')})`

export const afterArgs = (after: After | null) => ({
  afterAt: after?.at ?? Number.MAX_SAFE_INTEGER,
  afterId: after?.id ?? '',
})

/** One page of what `read` gives, newest first. It is asked for one row more, which says whether another page follows. */
export const paginate = async <R>(
  { limit, cursor }: PageQuery,
  read: (limit: number, after: After | null) => Promise<R[]>,
  key: (row: R) => After,
): Promise<Page<R>> => {
  const rows = await read(limit + 1, cursor)
  const data = rows.slice(0, limit)
  return { data, next_cursor: rows.length > limit ? cursorOf(key(data.at(-1)!)) : null }
}
