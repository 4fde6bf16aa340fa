// What a workspace may use: the classes of routes, and plans with a rate for each class and quotas. One file, read once.
import { z } from 'zod'
import type { Rate } from './lib/gcra'
import { type Actor, type Permission, permissions, scopeOf } from './permissions'

const sharedClasses = ['read', 'write', 'upload', 'stream'] as const
const rateClasses = [...sharedClasses, 'rights'] as const
export type RateClass = (typeof rateClasses)[number]

// Seeing, changing and ending who may do what.
const aboutRights = /^(member|project-member|invitation|key|link|session):(?!create)/

const special: Partial<Record<Permission, RateClass>> = {
  'media:stream': 'stream',
  'media:create': 'upload',
  'media:replace': 'upload',
}

const classes = new Map(
  permissions.map((need): [Permission, RateClass] => [
    need,
    aboutRights.test(need) ? 'rights' : (special[need] ?? (need.endsWith(':read') ? 'read' : 'write')),
  ]),
)
/**
 * The class of a route, by its permission. `rights` count for each session and key by itself, and not for the workspace:
 * whoever stole one cannot use up what it takes to end it.
 */
export const classOf = (need: Permission): RateClass => classes.get(need) as RateClass

// What it takes to see what happened, to narrow it, and to clear up.
const aboutOrder = /^(usage|audit):|^(project|workspace):update$|:delete$/

/**
 * Whether a month that is used up refuses it. Whoever used it up keeps nobody from taking rights away, nor people from
 * their own account and from being told what they may.
 */
export const endsWithMonth = (need: Permission, by: Actor['type']): boolean => {
  if (need === 'whoami:read') return by === 'key'
  const isOwn = scopeOf(need) === 'account' || scopeOf(need) === 'operator'
  return !isOwn && !aboutRights.test(need) && !aboutOrder.test(need)
}

/** What a workspace has a quota of. `requests` are those of a calendar month (UTC); `credits` only an operator gives. */
export const resources = ['storage_bytes', 'members', 'keys', 'requests', 'credits'] as const
export type Resource = (typeof resources)[number]

const rateUpTo = (most: number) =>
  z
    .strictObject({ limit: z.int().min(1).max(most), seconds: z.int().min(1).max(86_400) })
    .transform(({ limit, seconds }): Rate => ({ limit, windowMs: seconds * 1000 }))
const [RateOf, BytesOf] = [rateUpTo(1e9), rateUpTo(1e15)]
const ratesOf = <C extends string>(classes: readonly C[]) => z.partialRecord(z.enum(classes), RateOf).default({})
const Amount = z.int().min(0)

const Plan = z.strictObject({
  /** For all of a workspace together, and for each user or line of keys in it. What is not named is not limited. */
  workspace: ratesOf(sharedClasses),
  caller: ratesOf(rateClasses),
  /** Uploads under way at once, on a node: `uploadsAtOnce` by default. */
  uploads: z
    .strictObject({ workspace: z.int().min(1), caller: z.int().min(1) })
    .partial()
    .optional(),
  /** Downloads under way at once, on a node: by a link they count for it (by default as for a caller), not for its maker. */
  streams: z
    .strictObject({ workspace: z.int().min(1), caller: z.int().min(1), link: z.int().min(1) })
    .partial()
    .optional(),
  /** Bytes of files sent, by a node, to all of a workspace and to each caller or link. The read that uses them up is finished. */
  bytes: z.strictObject({ workspace: BytesOf, caller: BytesOf }).partial().optional(),
  quotas: z
    .strictObject({ storage_bytes: Amount, members: Amount, keys: Amount, requests: Amount })
    .partial()
    .default({}),
})
export type Plan = z.output<typeof Plan>

const Plans = z.strictObject({
  /** For each client address: `auth` for what needs no sign-in, `failures` for credentials that were none. */
  address: z.strictObject({ auth: RateOf, failures: RateOf }).partial().default({}),
  /** By name; `default` is what a new workspace has. */
  plans: z
    .record(z.string().regex(/^[a-z][a-z0-9_]{0,31}$/, 'a name of a-z 0-9 _'), Plan)
    .refine((plans) => 'default' in plans, 'one of the plans is "default"'),
})
export type Plans = z.output<typeof Plans>

/** Where rates are off as well: each may hold a part of its file in memory. */
export const uploadsAtOnce = { workspace: 256, caller: 64 }

/** What no plan changes. Such lists are read whole, so that a long one would hold everybody else up. */
export const most = { workspacesMade: 100, workspacesOfPerson: 1000, projects: 1000 }

const perMinute = (limit: number) => ({ limit, seconds: 60 })

/** Enough for a busy product, too little to take a node away from everybody else. */
export const defaultPlans: Plans = Plans.parse({
  address: { auth: perMinute(120), failures: perMinute(120) },
  plans: {
    default: {
      workspace: {
        read: perMinute(30_000),
        write: perMinute(6000),
        upload: perMinute(3000),
        stream: perMinute(30_000),
      },
      caller: {
        ...{ read: perMinute(6000), write: perMinute(1200), upload: perMinute(600), stream: perMinute(12_000) },
        rights: perMinute(600),
      },
      streams: { workspace: 2048, caller: 256, link: 32 },
      quotas: { storage_bytes: 1024 ** 4, members: 1000, keys: 1000 },
    },
  },
})

/** The plans of a file, as JSON. @throws Error, as a sentence for the operator, that says what does not fit. */
export const parsePlans = (text: string): Plans => {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw new Error('The plan file of LATCHKEY_RATE_LIMITS is not JSON.')
  }
  const result = Plans.safeParse(json)
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw new Error(`The plan file of LATCHKEY_RATE_LIMITS: ${issue?.path.join('.') || 'the whole'}: ${issue?.message}.`)
}

/** Without any rate; quotas stand. */
export const withoutRates = ({ plans }: Plans): Plans => ({
  address: {},
  plans: Object.fromEntries(
    Object.entries(plans).map(([name, { quotas }]) => [name, { workspace: {}, caller: {}, quotas }]),
  ),
})

/** A plan by the name that stands in a workspace's row; one that the file no longer has is the default. */
export const planOf = ({ plans }: Plans, name = 'default'): Plan => plans[name] ?? (plans.default as Plan)

type Caller = Pick<Actor, 'type' | 'id' | 'lineage' | 'workspace'>
type Bounds<T> = { workspace?: T | undefined; caller?: T | undefined; link?: T | undefined }
/** `name`: what kind of owner it is, for the headers. */
type Owner<T> = Readonly<{ name: string; key: string; bound: T }>

/**
 * Whom a bound holds, the narrower first: the line of a key or the user, then the workspace. What is read by a link counts
 * for it, by default as for a caller, and never for its maker.
 */
export const ownersOf = <T>(
  { type, id, lineage, workspace }: Caller,
  bounds: Bounds<T>,
  link?: { readonly id: string } | undefined,
): Owner<T>[] => {
  const owners: Owner<T>[] = []
  const narrow = link ? (bounds.link ?? bounds.caller) : bounds.caller
  if (narrow !== undefined) owners.push({ name: link ? 'link' : type, key: link?.id ?? lineage ?? id, bound: narrow })
  if (bounds.workspace !== undefined)
    owners.push({ name: 'workspace', key: String(workspace.id), bound: bounds.workspace })
  return owners
}

/** How much of a resource each plan allows beside what was granted; no quota is as much as can be counted. */
export const allowances = ({ plans }: Plans, resource: Resource): Record<string, number> =>
  Object.fromEntries(
    Object.entries(plans).map(([name, { quotas }]) => [
      name,
      resource === 'credits' ? 0 : (quotas[resource] ?? Number.MAX_SAFE_INTEGER),
    ]),
  )
