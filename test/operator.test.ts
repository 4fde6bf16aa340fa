// The operator: sets plans and credits, sees how the instance is, and nothing that a tenant wrote.
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { budgets } from '../src/features/auth/budgets'
import { spend } from '../src/features/auth/store-defence'
import type { Plans } from '../src/limits'
import { type Client, type TestApp, testApp } from './support'

const plan = (storage_bytes: number) => ({ workspace: {}, caller: {}, quotas: { storage_bytes } })
const plans: Plans = { address: {}, plans: { default: plan(10), wide: plan(1000) } }

let t: TestApp
let mailFails = false
beforeEach(async () => {
  mailFails = false
  t = await testApp({ env: { LATCHKEY_OPERATORS: 'Root@Example.com, ops@example.com' }, ports: { plans } })
})
afterEach(() => t.stop())

const upload = async (who: Client, bytes: number) =>
  (await who.post('/api/media', undefined, { raw: 'x'.repeat(bytes), headers: { 'x-file-name': 'a' } })).status

test('sets the plan of a workspace, which holds from the next request on, and its credits', async () => {
  const [operator, tenant] = [await t.signIn('root@example.com'), await t.signIn('ada@example.com')]
  const place = `/api/operator/workspaces/${tenant.workspace.id}`
  expect(await upload(tenant, 11)).toBe(402)
  const { status, body } = await operator.patch(place, { plan: 'wide', credits: 500 })
  expect(status).toBe(200)
  expect(body).toMatchObject({ id: tenant.workspace.id, plan: 'wide', credits: 500 })
  expect(await upload(tenant, 11)).toBe(201)
  const { body: own } = await tenant.get('/api/usage/quotas')
  expect(own.plan).toBe('wide')
  expect(own.quotas).toContainEqual({ resource: 'credits', used: 0, allowed: 500, resets_at: null })
  expect((await operator.patch(place, { plan: 'default' })).body).toMatchObject({ plan: 'default', credits: 500 })
  expect(await upload(tenant, 11)).toBe(402)
  expect((await operator.get('/api/operator/plans')).body.data.map((p: { name: string }) => p.name)).toEqual([
    'default',
    'wide',
  ])
})

test('what they set stands in the audit of the workspace', async () => {
  const [operator, tenant] = [await t.signIn('root@example.com'), await t.signIn('ada@example.com')]
  await operator.patch(`/api/operator/workspaces/${tenant.workspace.id}`, { credits: 5 })
  const { body } = await tenant.get('/api/audit')
  expect(body.data).toContainEqual(
    expect.objectContaining({ action: 'workspace.plan_set', targets: [tenant.workspace.id], change: { credits: 5 } }),
  )
})

test('a plan, a workspace or a field that there is not is refused', async () => {
  const [operator, tenant] = [await t.signIn('root@example.com'), await t.signIn('ada@example.com')]
  const place = `/api/operator/workspaces/${tenant.workspace.id}`
  expect((await operator.patch(place, { plan: 'constructor' })).status).toBe(422)
  expect((await operator.patch(place, {})).status).toBe(422)
  expect((await operator.patch(place, { name: 'x' })).status).toBe(400)
  expect((await operator.patch(place, { credits: -1 })).status).toBe(422)
  expect((await operator.get(`/api/operator/workspaces/wsp_${'a'.repeat(22)}`)).status).toBe(404)
  expect((await operator.get(place)).body.credits).toBe(0)
})

test('nobody else is one: no other admin, no key of an operator; and an operator only with a fresh sign-in', async () => {
  const [operator, admin] = [await t.signIn('root@example.com'), await t.signIn('ada@example.com')]
  const { body: key } = await operator.post('/api/keys', { name: 'k' })
  const targets = ['health', 'plans', 'workspaces', `workspaces/${admin.workspace.id}`]
  const ask = async (who: Client) =>
    Promise.all(targets.map(async (target) => (await who.get(`/api/operator/${target}`)).status))
  expect(await ask(operator)).toEqual([200, 200, 200, 200])
  expect(await ask(await t.signIn('ops@example.com'))).toEqual([200, 200, 200, 200])
  expect(await ask(admin)).toEqual([403, 403, 403, 403])
  expect(await ask(t.clientOf({ authorization: `Bearer ${key.token}` }))).toEqual([403, 403, 403, 403])
  expect(await ask(t.clientOf({}))).toEqual([401, 401, 401, 401])
  expect((await admin.patch(`/api/operator/workspaces/${admin.workspace.id}`, { plan: 'wide' })).status).toBe(403)
  t.clock.advance(11 * 60_000)
  expect((await operator.get('/api/operator/health')).body.code).toBe('step_up_required')
})

test('sees no content of a tenant: no name, address, project, key or file in any of the answers', async () => {
  const canary = 'canary4711'
  const tenant = await t.signIn(`${canary}@example.com`)
  await tenant.patch(`/api/workspaces/${tenant.workspace.id}`, { name: canary })
  await tenant.post('/api/projects', { name: canary, slug: canary })
  await tenant.post('/api/keys', { name: canary })
  expect(await upload(tenant, 5)).toBe(201)
  const operator = await t.signIn('root@example.com')
  let answers = ''
  for (const target of ['health', 'plans', 'workspaces', `workspaces/${tenant.workspace.id}`])
    answers += JSON.stringify((await operator.get(`/api/operator/${target}`)).body)
  expect(answers).toContain(tenant.workspace.id)
  expect(answers).not.toContain(canary)
  expect(answers).not.toMatch(/key_|med_|prj_|usr_/)
  const workspace = { headers: { 'x-workspace-id': tenant.workspace.id } }
  expect((await operator.get('/api/media', undefined, workspace)).status).toBe(404)
  expect((await operator.get('/api/usage', undefined, workspace)).status).toBe(404)
})

test('is told how the instance is, and what asks for a hand', async () => {
  const operator = await t.signIn('root@example.com')
  t.ports.mailer.check = () => (mailFails ? Promise.reject(new Error('down')) : Promise.resolve())
  await t.app.services.jobs.runNow('seal')
  const { body: well } = await operator.get('/api/operator/health')
  expect(well).toMatchObject({ status: 'ok', counts: { workspaces: 1, users: 1 }, alerts: [] })
  await operator.post('/api/projects', { name: 'Unsealed' })
  t.clock.advance(61_000)
  const { body: ill } = await operator.get('/api/operator/health')
  expect(ill.alerts.map((alert: { code: string }) => alert.code)).toEqual(['audit_unsealed'])
})

test('is told of an open guess breaker for as long as it is open', async () => {
  const operator = await t.signIn('root@example.com')
  const codes = async () =>
    (await operator.get('/api/operator/health')).body.alerts.map((alert: { code: string }) => alert.code)
  await t.app.services.jobs.runNow('seal')
  const fail = (count: number) =>
    t.db.batch(Array.from({ length: count }, () => spend([[budgets.failures, 'instance']], t.clock.now())).flat())
  await fail(49)
  expect(await codes()).toEqual([])
  await fail(1)
  expect(await codes()).toEqual(['guess_breaker'])
  t.clock.advance(60_000)
  await t.app.services.jobs.runNow('seal')
  expect(await codes()).toEqual([])
})
