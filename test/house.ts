// The core without HTTP: a fresh database, its keyring, the door to changes, and tenants to act in it.
import { users } from '../db/schema'
import { quotaService } from '../src/features/quotas/service'
import { workspaceService } from '../src/features/workspaces/service'
import { openKeyring } from '../src/keyring'
import { randomBytes } from '../src/lib/crypto'
import { newId } from '../src/lib/id'
import { defaultPlans } from '../src/limits'
import { createTraffic } from '../src/limits/traffic'
import { type Actor, type Origin, ofLevel, ofRole, type Role } from '../src/permissions'
import type { Log } from '../src/ports'
import { createRevocations } from '../src/revocation'
import { builder, createUnaudited, createWrite, statement } from '../src/write'
import { newTestClock } from './clock'
import { newTestDatabase } from './template'

export const newHouse = async () => {
  const { db, path, close } = await newTestDatabase()
  const clock = newTestClock()
  const revocations = createRevocations(db)
  const write = createWrite({ db, clock, revocations })
  const keyring = await openKeyring({ db, clock, master: [{ kid: 'test', key: randomBytes(32) }] })
  const workspaces = workspaceService({ db, write, clock })
  const quotas = quotaService({ db, plans: defaultPlans, clock })

  /** A workspace of its own with its admin, signed in just now. */
  const newTenant = async () => {
    const userId = newId('usr')
    const user = { id: userId, addressHash: userId, addressSealed: '', locale: 'en', createdAt: clock.now() }
    const { statements, event, workspace } = workspaces.newWorkspace(userId, 'Acme')
    await write({ type: 'system', origin: null }, event, [statement(builder.insert(users).values(user)), ...statements])
    const origin: Origin = { requestId: 'req_test', client: '203.0.113.0/24', userAgent: null }
    const person = { type: 'user', id: userId, sessionId: newId('ses'), authAt: clock.now(), origin } as const
    const entered = await workspaces.enter(userId, workspace.id)
    if (!entered || !('tenancy' in entered.value)) throw new Error('the maker of a workspace may enter it')
    const { projects, ...tenancy } = entered.value.tenancy
    const admin: Actor = { ...tenancy, ...person, person, project: projects[0]!, projects: projects.map((p) => p.id) }
    const as = (role: Role): Actor => ({ ...admin, role, permissions: ofRole[role] })
    return { admin, as, projectId: workspace.default_project_id, userId }
  }

  const log: Log = { info: () => {}, warn: () => {}, error: () => {}, request: () => {}, flush: () => {} }
  return {
    db,
    path,
    close,
    clock,
    log,
    revocations,
    traffic: createTraffic({ plans: defaultPlans, clock }),
    write,
    unaudited: createUnaudited(db),
    keyring,
    workspaces,
    quotas,
    newTenant,
  }
}
export type House = Awaited<ReturnType<typeof newHouse>>

/** The actor that a key is, as identify would make it. */
export const keyActor = (tenant: Actor, id: string, level: NonNullable<Actor['level']>): Actor => ({
  ...tenant,
  ...{ type: 'key', id, person: null, role: null, level, lineage: id, permissions: ofLevel[level] },
})
