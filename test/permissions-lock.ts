// What each route asks for and who holds it, as the lock file keeps it. `bun test/permissions-lock.ts` writes it anew.
import { levels, ofLevel, ofPerson, ofRole, type Permission, roles, scopeOf } from '../src/permissions'

type Route = { method: string; path: string; hooks: unknown }

const holders = (permission: Permission): string => {
  const scope = scopeOf(permission)
  if (scope !== 'workspace' && scope !== 'any') return scope
  const held = [
    ...roles.filter((r) => ofRole[r].has(permission)),
    ...levels.filter((l) => ofLevel[l].has(permission)).map((l) => `${l} key`),
  ]
  return (ofPerson.has(permission) ? ['any session', ...held.filter((h) => h.endsWith('key'))] : held).join(', ')
}

/** The text of `test/permissions.lock.json` for these routes: a line each, so that a widened one shows in review. */
export const permissionsLock = (routes: readonly Route[]): string => {
  const lines = routes.map(({ method, path, hooks }): [string, string] => {
    const access = (hooks as { detail: Record<string, string> }).detail['x-access'] ?? ''
    const name = `${method} ${path.replace(/(.)\/$/, '$1')}`
    return [name, access.startsWith('open: ') ? access : `${access} → ${holders(access as Permission)}`]
  })
  return `${JSON.stringify(Object.fromEntries(lines.sort(([a], [b]) => (a < b ? -1 : 1))), null, 2)}\n`
}

if (import.meta.main) {
  const { testApp } = await import('./support')
  const t = await testApp()
  await Bun.write(`${import.meta.dir}/permissions.lock.json`, permissionsLock(t.app.routes))
  await t.stop()
}
