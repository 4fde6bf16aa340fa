// Whether a value is just what a zod schema would make of it: asked first, so that zod runs only where it has to.
import { z } from 'zod'

type Test = (value: unknown) => boolean

const ofArray = (element: z.ZodType): Test => {
  const fits = exactly(element)
  return (value) => {
    if (!Array.isArray(value)) return false
    // Not by every(), which sees no holes.
    for (let i = 0; i < value.length; i++) if (!fits(value[i])) return false
    return true
  }
}

const ofObject = (shape: Record<string, z.ZodType>): Test => {
  const members = new Map<string, { fits: Test; need: number }>()
  for (const [name, schema] of Object.entries(shape))
    members.set(name, { fits: exactly(schema), need: schema instanceof z.ZodOptional ? 0 : 1 })
  const needed = [...members.values()].reduce((sum, { need }) => sum + need, 0)
  return (value) => {
    if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return false
    let found = 0
    for (const name in value) {
      const member = members.get(name)
      if (!member?.fits((value as Record<string, unknown>)[name])) return false
      found += member.need
    }
    return found === needed
  }
}

/**
 * Made once for a schema. A yes is exact: `parse` would give the same value. A no only means: ask zod. zod makes an object
 * and a list for every member it looks at; this makes none.
 */
export const exactly = (schema: z.ZodType): Test => {
  const { checks = [] } = schema._zod.def as { checks?: unknown[] }
  if (checks.length === 0) {
    if (schema instanceof z.ZodObject) return ofObject(schema.shape)
    if (schema instanceof z.ZodArray) return ofArray(schema.element as z.ZodType)
    if (schema instanceof z.ZodNullable || schema instanceof z.ZodOptional) {
      const empty = schema instanceof z.ZodNullable ? null : undefined
      const fits = exactly(schema.unwrap() as z.ZodType)
      return (value) => value === empty || fits(value)
    }
    if (schema instanceof z.ZodEnum) {
      const options = new Set<unknown>(schema.options)
      return (value) => options.has(value)
    }
    if (schema.constructor === z.ZodString) return (value) => typeof value === 'string'
    if (schema.constructor === z.ZodNumber) return Number.isFinite
    if (schema instanceof z.ZodBoolean) return (value) => typeof value === 'boolean'
  }
  return (value) => {
    const parsed = schema.safeParse(value)
    return parsed.success && parsed.data === value
  }
}
