// What an operator does beside the server: by the same service, on record, and never beside a server that has the data open.
import { beforeEach, expect, test } from 'bun:test'
import { join } from 'node:path'
import Libsql from 'libsql'
import { openLocalDatabase } from '../src/adapters/database-libsql'
import { newId } from '../src/lib/id'
import { newFolder } from './template'

const cli = join(import.meta.dir, '../src/cli.ts')
const workspace = newId('wsp')
let folder: string
let path: string

const run = (...words: string[]) => {
  const env = { PATH: process.env.PATH ?? '', LATCHKEY_DATA_DIR: folder }
  const { exitCode, stdout, stderr } = Bun.spawnSync([process.execPath, cli, ...words], { env, cwd: folder })
  return [exitCode, stdout.toString(), stderr.toString()]
}
const all = (sql: string) => {
  const file = new Libsql(path, { readonly: true })
  const rows = file.prepare(sql).all() as Record<string, unknown>[]
  file.close()
  return rows
}
const changes = () =>
  all(
    "select actor_type as by, targets, change from audit_events where action = 'workspace.plan_set' order by rowid",
  ).map(({ by, targets, change }) => [by, JSON.parse(String(targets)), JSON.parse(String(change))])

beforeEach(async () => {
  folder = newFolder()
  path = join(folder, 'latchkey.db')
  await (await openLocalDatabase({ path })).close()
  const file = new Libsql(path)
  file.exec(`insert into workspaces (workspace_id, id, name, created_by, created_at)
    values (77, '${workspace}', 'Acme', 'usr_x', 0)`)
  file.close()
})

test('latchkey plan sets the plan of a workspace, on record there, and knows no other plan or workspace', () => {
  expect(run('plan', workspace, 'default')).toEqual([0, `${workspace}: plan default, 0 credits.\n`, ''])
  expect(changes()).toEqual([['system', [workspace], { plan: 'default' }]])
  expect(run('plan', workspace, 'constructor')).toEqual([1, '', 'There is no such plan\n'])
  expect(run('plan', newId('wsp'), 'default')).toEqual([1, '', 'There is no such workspace\n'])
  expect(run('plan', workspace)).toEqual([1, '', 'latchkey plan <workspace> <plan>\n'])
  expect(changes()).toHaveLength(1)
  // For a server that is running on the same primary.
  expect(all('select subject from revocations')).toEqual([{ subject: `workspace:${workspace}` }])
})

test('latchkey credits gives and takes credits, on record there, and never below none', () => {
  expect(run('credits', workspace, '+500')).toEqual([0, `${workspace}: plan default, 500 credits.\n`, ''])
  expect(run('credits', workspace, '-200')).toEqual([0, `${workspace}: plan default, 300 credits.\n`, ''])
  expect(run('credits', workspace, '-301')).toEqual([1, '', 'Nobody has fewer credits than none\n'])
  for (const count of ['500', '+0', '+1.5', '1e3', '+'])
    expect(run('credits', workspace, count)).toEqual([1, '', 'latchkey credits <workspace> +<number> | -<number>\n'])
  expect(changes().map(([, , change]) => change)).toEqual([{ credits_added: 500 }, { credits_added: -200 }])
  expect(all('select plan, credits from workspace_plans')).toEqual([{ plan: 'default', credits: 300 }])
})

test('beside a server that has the database open each says so, and changes nothing', async () => {
  const db = await openLocalDatabase({ path })
  for (const words of [
    ['plan', workspace, 'default'],
    ['credits', workspace, '+1'],
    ['audit', 'verify'],
    ['keys', 'rotate'],
  ]) {
    const [code, out, error] = run(...words)
    expect([code, out]).toEqual([1, ''])
    expect(error).toContain('Another process has this database open.')
  }
  await db.close()
  expect(changes()).toEqual([])
})

test('a command that takes no arguments takes none', () => {
  const [code, , error] = run('version', 'x')
  expect([code, String(error).startsWith('latchkey serve | ')]).toEqual([1, true])
})
