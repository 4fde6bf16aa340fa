// Settings in a file: what stands there is a setting like any other, and what does not stops the start.
import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { ConfigError, type Env, readConfig } from '../src/config'
import { withSettingsFile } from '../src/config/settings-file'
import { newFolder } from './template'

const read = (env: Env) => readConfig(env, { source: 'source' })
const from = (text: string, env: Env = {}) =>
  withSettingsFile({ LATCHKEY_SETTINGS: 'file:/etc/latchkey.env', ...env }, (path) => {
    if (path !== '/etc/latchkey.env') throw new Error(`ENOENT ${path}`)
    return text
  })
const wrong = (text: string, env: Env = {}): string => {
  try {
    return read(from(text, env)) && 'starts'
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
}

test('says the same by the same names; the environment goes before it', () => {
  const text = '# ours\r\nLATCHKEY_PORT=8080\r\n\n  # theirs\nLATCHKEY_MAIL_FROM=Latch = key <robot@example.com>\n'
  const { config } = read(from(`${text}LATCHKEY_SMTP_URL=smtp://mail.example.com\n`))
  expect(config.listen.port).toBe(8080)
  expect(config.mail).toMatchObject({ from: 'Latch = key <robot@example.com>' })
  expect(read(from(text, { LATCHKEY_PORT: '9090' })).config.listen.port).toBe(9090)
  expect(read(from(text, { LATCHKEY_PORT: '' })).config.listen.port).toBe(8080)
  expect(withSettingsFile({ LATCHKEY_PORT: '1' }, () => 'never read')).toEqual({ LATCHKEY_PORT: '1' })
})

test.each([
  ['LATCHKEY_PORT 80 hush', 'a line 1 that is not LATCHKEY_NAME=value'],
  ['\nPATH=/hush', 'a line 2 that is not LATCHKEY_NAME=value'],
  ['export LATCHKEY_PORT=80', 'a line 1 that is not LATCHKEY_NAME=value'],
  ['LATCHKEY_PORT=80\nLATCHKEY_PORT=81', 'a line 2 that says LATCHKEY_PORT once more'],
  ['LATCHKEY_PRIMARY_TOKEN="hush"', 'a line 1 that has its value in quotes'],
  ['LATCHKEY_SETTINGS=file:/hush', 'a line 1 that names a further file'],
  ['LATCHKEY_ORGIN=hush', 'LATCHKEY_ORGIN is not a setting; did you mean LATCHKEY_ORIGIN?'],
  ['LATCHKEY_PORT=hush', 'LATCHKEY_PORT is not a whole number'],
])('%j is refused in words that do not repeat it', (text, says) => {
  expect(wrong('LATCHKEY_PORT=80')).toBe('starts')
  expect(wrong(text)).toContain(says)
  expect(wrong(text)).not.toContain('hush')
})

test('that cannot be read, or is named in another way, stops the start', () => {
  expect(wrong('', { LATCHKEY_SETTINGS: 'file:/gone' })).toContain('LATCHKEY_SETTINGS names a file that cannot be read')
  expect(wrong('', { LATCHKEY_SETTINGS: '/etc/latchkey.env' })).toContain('LATCHKEY_SETTINGS is not file:<path>')
})

test('is what the command line goes by', async () => {
  const file = join(newFolder(), 'latchkey.env')
  await Bun.write(file, 'LATCHKEY_PORT=4321\n')
  const cli = join(import.meta.dir, '../src/cli.ts')
  const env = { LATCHKEY_SETTINGS: `file:${file}` }
  const { stdout, exitCode } = Bun.spawnSync([process.execPath, cli, 'config', 'check'], { env })
  expect([exitCode, stdout.toString()]).toEqual([0, expect.stringContaining('"port":4321')])
})
