// What crosses the wire about API keys. The token does so once, in the answer that made the key.
import { z } from 'zod'
import { isId } from '../../lib/id'
import { environments } from '../../lib/key-token'
import { listOf } from '../../lib/page'
import { plainText } from '../../lib/text'
import { Instant } from '../../lib/time'
import { levels } from '../../permissions'

const ProjectId = z.string().refine((id) => isId('prj', id), 'Not the id of a project')

export const CreateKey = z.strictObject({
  name: plainText(80),
  /** A key stands for its workspace unless narrowed. */
  level: z.enum(levels).default('admin'),
  environment: z.enum(environments).default('live'),
  /** Absent: every project, those of later included. */
  projects: z
    .array(ProjectId)
    .min(1)
    .max(100)
    .refine((ids) => new Set(ids).size === ids.length, 'Names a project twice')
    .optional(),
  expires_at: Instant.optional(),
})
export type CreateKey = z.output<typeof CreateKey>

export const RenameKey = z.strictObject({ name: plainText(80) })
export type RenameKey = z.output<typeof RenameKey>

export const Key = z.object({
  id: z.string(),
  name: z.string(),
  hint: z.string(),
  level: z.enum(levels),
  environment: z.enum(environments),
  projects: z.array(z.string()).nullable(),
  status: z.enum(['active', 'expired', 'revoked']),
  created_at: z.string(),
  last_used_at: z.string().nullable(),
  expires_at: z.string().nullable(),
})
export type Key = z.infer<typeof Key>

export const KeyList = listOf(Key)

export const NewKey = Key.extend({ token: z.string() })
export type NewKey = z.infer<typeof NewKey>

/** From when on, and where, a revoked key is refused. `bound_ms`: the longest any other node may still take it. */
export const Receipt = z.object({
  revoked_at: z.string(),
  this_node: z.literal('immediate'),
  other_nodes: z.object({ bound_ms: z.number(), confirmed: z.boolean() }),
})
export type Receipt = z.infer<typeof Receipt>

export const KeyParams = z.strictObject({ id: z.string().refine((id) => isId('key', id)) })
