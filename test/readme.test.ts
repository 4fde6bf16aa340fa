// What a newcomer pastes works, and what the README names is there.
import { expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { scripts } from '../package.json'
import { createLog } from '../src/adapters/log-pino'
import { readConfig } from '../src/config'
import { settingNames } from '../src/config/settings'
import { startServer } from '../src/runtime/bun'
import { newFolder } from './template'

const root = join(import.meta.dir, '..')
const readme = await Bun.file(join(root, 'README.md')).text()
const found = (pattern: RegExp) => [...readme.matchAll(pattern)].map(([, name]) => name!)

test.skipIf(!Bun.which('curl'))('the lines of a first integration work as pasted', async () => {
  const block = found(/```sh\n(URL=[\s\S]*?)```/g)[0]!
  const folder = newFolder()
  const settle = (port = 0) => readConfig({ LATCHKEY_PORT: `${port}`, LATCHKEY_DATA_DIR: folder }, { source: 'source' })
  const server = await startServer(settle, createLog({ write: () => {} }))
  const pasted = block.replace('http://localhost:3000', server.config.origin)
  const shell = Bun.spawn(['bash', '-euo', 'pipefail', '-c', pasted], { stdout: 'pipe', stderr: 'inherit' })
  const lines = (await new Response(shell.stdout).text()).trim().split('\n')
  await server.stop()
  expect(lines).toHaveLength(3)
  expect(lines[0]).toBe('Latchkey')
  expect(JSON.parse(lines[1]!)).toMatchObject({ this_node: 'immediate' })
  expect(JSON.parse(lines[2]!)).toMatchObject({ status: 401, code: 'unauthenticated' })
})

test('every command, setting and file it names is there', () => {
  for (const name of found(/bun(?:@[\d.]+)? run (\w+)/g)) expect(Object.keys(scripts)).toContain(name)
  for (const name of found(/(LATCHKEY_[A-Z_]+)/g)) expect(settingNames).toContain(name as never)
  for (const path of found(/\b((?:src|db|test)\/[\w./-]*)/g)) expect(existsSync(join(root, path))).toBe(true)
  for (const path of found(/\]\(([^)]+)\)/g)) expect(existsSync(join(root, path))).toBe(true)
})
