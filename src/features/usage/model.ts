// What crosses the wire about usage.
import { z } from 'zod'
import { idOf } from '../../lib/id'
import { listOf, PageQuery } from '../../lib/page'

const Day = z.iso.date().transform((day) => Date.parse(`${day}T00:00:00Z`))

export const UsageQuery = PageQuery.extend({
  /** First and last day, in UTC, both included. */
  from: Day.optional(),
  to: Day.optional(),
  project_id: idOf('prj').optional(),
  key_id: idOf('key').optional(),
})
export type UsageQuery = z.output<typeof UsageQuery>

export const UsageOfDay = z.object({
  day: z.string(),
  project_id: z.string().nullable(),
  /** The first key of the line that rotation made; null for what people did. */
  key_id: z.string().nullable(),
  requests: z.number(),
  /** Of these, turned away by a rate limit or by the month's quota. */
  refused: z.number(),
})
export type UsageOfDay = z.infer<typeof UsageOfDay>
export const UsageList = listOf(UsageOfDay)
