// What goes out without zod: only what zod would leave as it is.
import { expect, test } from 'bun:test'
import { z } from 'zod'
import { exactly } from '../src/lib/exact'

const Thing = z.object({
  id: z.string(),
  size: z.number(),
  kind: z.enum(['a', 'b']),
  on: z.boolean(),
  note: z.string().nullable(),
  tags: z.array(z.string()),
  owner: z.object({ id: z.string() }),
  more: z.string().optional(),
  short: z.string().max(3),
})
const thing = { id: 'x', size: 1, kind: 'a', on: true, note: null, tags: ['t'], owner: { id: 'u' }, short: 'abc' }
const isExact = exactly(Thing)

test('a value as its schema lists it is exact, in any order, with or without what is optional', () => {
  expect(isExact(thing)).toBe(true)
  expect(isExact({ more: 'm', ...thing })).toBe(true)
  expect(isExact({ ...thing, more: undefined })).toBe(true)
  expect(Thing.parse(thing) as object).toEqual(thing)
})

test.each([
  ['a member that is not listed', { ...thing, secret: 'x' }],
  ['one in a nested object', { ...thing, owner: { id: 'u', secret: 'x' } }],
  ['one that is undefined', { ...thing, secret: undefined }],
  ['a missing member', { ...thing, id: undefined }],
  ['an absent member', { id: 'x' }],
  ['an object for a text', { ...thing, id: { secret: 'x' } }],
  ['a text for a list', { ...thing, tags: 't' }],
  ['a list for an object', { ...thing, owner: [] }],
  ['a number in a list of texts', { ...thing, tags: ['t', 1] }],
  ['a hole in a list', { ...thing, tags: new Array(1) }],
  ['what is not a number', { ...thing, size: Number.NaN }],
  ['a word that is none of them', { ...thing, kind: 'c' }],
  ['undefined for null', { ...thing, note: undefined }],
  ['what breaks a check', { ...thing, short: 'abcd' }],
  ['an object of another make', Object.assign(new (class Row {})(), thing)],
  ['a date', new Date(0)],
  ['null', null],
])('%s is not', (_, value) => {
  expect(isExact(value)).toBe(false)
})

test('what zod changes is never exact', () => {
  for (const [schema, value] of [
    [z.string().transform((s) => s.length), 'x'],
    [z.string().trim(), ' x'],
    [z.coerce.string(), 1],
    [z.string().default('x'), undefined],
    [z.union([z.object({ a: z.string() }), z.string()]), { a: 'x', b: 'y' }],
    [z.record(z.string(), z.object({ a: z.string() })), { x: { a: 'x', b: 'y' } }],
    [z.object({}), []],
    [z.number().int(), 1.5],
    [z.undefined().or(z.null()), 0],
  ] as const)
    expect([value, exactly(schema)(value)]).toEqual([value, false])
})
