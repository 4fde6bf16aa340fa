// What crosses the wire about API keys. The token does so once, in the answer that made the key.
import { z } from 'zod'
import { idOf } from '../../lib/id'
import { environments } from '../../lib/key-token'
import { createNetworks, networkText } from '../../lib/networks'
import { listOf } from '../../lib/page'
import { plainText } from '../../lib/text'
import { Instant } from '../../lib/time'
import { levels } from '../../permissions'

const isReadable = (networks: readonly string[]): boolean => {
  try {
    return createNetworks(networks) !== undefined
  } catch {
    return false
  }
}
const Networks = z
  .array(networkText('Addresses or networks (CIDR)'))
  .min(1)
  .max(100)
  .refine(isReadable, 'Addresses or networks (CIDR)')

export const CreateKey = z
  .strictObject({
    name: plainText(80),
    level: z.enum(levels).optional(),
    environment: z.enum(environments).default('live'),
    /** Absent: every project, those of later included. */
    projects: z
      .array(idOf('prj'))
      .min(1)
      .max(100)
      .refine((ids) => new Set(ids).size === ids.length, 'Names a project twice')
      .optional(),
    expires_at: Instant.optional(),
    /** Absent: from anywhere. */
    ip_allow: Networks.optional(),
  })
  .refine(({ projects, level = 'admin' }) => !projects || level !== 'admin', {
    path: ['level'],
    message: 'A key for some projects needs a level of read, write or delete: admin stands for the workspace',
  })
  // A key stands for its workspace unless narrowed.
  .transform(({ level = 'admin', ...rest }) => ({ ...rest, level }))
export type CreateKey = z.output<typeof CreateKey>

export const UpdateKey = z.strictObject({ name: plainText(80).optional(), ip_allow: Networks.nullable().optional() })
export type UpdateKey = z.output<typeof UpdateKey>

export const RotateKey = z.strictObject({
  /** How long the old one still works. */
  grace_seconds: z.number().int().min(0).max(604_800).default(0),
})
export type RotateKey = z.output<typeof RotateKey>

/** A key somebody found. */
export const LeakedKey = z.strictObject({ token: z.string().max(512) })
export type LeakedKey = z.output<typeof LeakedKey>
export const LeakTaken = z.object({ status: z.literal('taken') })

export const Key = z.object({
  id: z.string(),
  name: z.string(),
  hint: z.string(),
  level: z.enum(levels),
  environment: z.enum(environments),
  projects: z.array(z.string()).nullable(),
  ip_allow: z.array(z.string()).nullable(),
  /** Id of the first key of the line that rotation made. */
  lineage: z.string(),
  /** `suspended`: since a backup was restored, until an operator confirms it. */
  status: z.enum(['active', 'expired', 'revoked', 'suspended']),
  created_at: z.string(),
  last_used_at: z.string().nullable(),
  expires_at: z.string().nullable(),
})
export type Key = z.infer<typeof Key>

export const KeyList = listOf(Key)

export const NewKey = Key.extend({ token: z.string() })
export type NewKey = z.infer<typeof NewKey>

export const KeyParams = z.strictObject({ id: idOf('key') })
