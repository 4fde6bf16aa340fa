// Who may do what: the table, the lock file that keeps it, and what no key and no lesser role ever holds.
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { levels, ofLevel, ofRole, permissions, roles } from '../src/permissions'
import { permissionsLock } from './permissions-lock'
import { type TestApp, testApp } from './support'

let t: TestApp
beforeAll(async () => {
  t = await testApp()
})
afterAll(() => t.stop())

test('the lock file says what each route asks for and who holds it: a widened route is a line in review', async () => {
  const kept = await Bun.file(`${import.meta.dir}/permissions.lock.json`).text()
  expect(permissionsLock(t.app.routes)).toBe(kept)
})

test('a higher role or level holds all that a lower one does', () => {
  for (const [i, role] of roles.slice(1).entries()) expect(ofRole[role].isSupersetOf(ofRole[roles[i]!])).toBe(true)
  for (const [i, level] of levels.slice(1).entries())
    expect(ofLevel[level].isSupersetOf(ofLevel[levels[i]!])).toBe(true)
})

test('no key makes or rotates keys, invites, changes members, deletes a workspace or touches an account', () => {
  const never = /^(account|session|invitation|operator|workspace:(update|delete|restore|create)|member:(update|leave))/
  const named = permissions.filter(
    (p) => never.test(p) || ['key:create', 'key:rotate', 'project:delete', 'project-member:update'].includes(p),
  )
  expect(named.length).toBeGreaterThan(12)
  expect(named.filter((p) => ofLevel.admin.has(p))).toEqual([])
  expect(ofLevel.admin.has('key:revoke')).toBe(true)
})
