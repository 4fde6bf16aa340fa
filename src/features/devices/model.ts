// What crosses the wire about known devices. Never the secret that a browser holds.
import { z } from 'zod'
import { idOf } from '../../lib/id'
import { listOf } from '../../lib/page'

export const Device = z.object({
  id: z.string(),
  current: z.boolean(),
  label: z.string(),
  created_at: z.string(),
  last_used_at: z.string(),
})
export type Device = z.infer<typeof Device>
export const DeviceList = listOf(Device)

export const DeviceParams = z.strictObject({ id: idOf('dev') })
