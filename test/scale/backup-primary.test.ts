// A primary backed up while nodes write to it, and restored into an empty one: one state, whole; and no node goes on by an older one.
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import Libsql from 'libsql'
import { createPrimary } from '../../src/adapters/primary'
import { spawnCli } from '../backup-house'
import { newFolder } from '../template'
import { type Cluster, type Node, startCluster, until } from './cluster'

let cluster: Cluster
beforeEach(async () => {
  cluster = await startCluster()
})
afterEach(() => cluster.stop(), 30_000)

/** A command of the program, as on a machine that runs no node. */
const start = (words: string[], env = {}, folder = newFolder()) => {
  const { LATCHKEY_ENV: _, RUST_LOG, ...common } = cluster.env
  const own = {
    RUST_LOG,
    LATCHKEY_PRIMARY_URL: cluster.sqld.url,
    LATCHKEY_DATABASE: `file:${folder}/replica.db`,
    ...env,
  }
  return spawnCli(folder, words, { ...common, ...own })
}
const ended = async (child: ReturnType<typeof start>) => {
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  return { code: await child.exited, said: out + err }
}
const cli = (words: string[], env = {}, folder?: string) => ended(start(words, env, folder))

const primaryOf = () => createPrimary({ url: cluster.sqld.url, token: cluster.sqld.token('rw') })
const ask = (sql: string) => primaryOf().read(sql, [])

const renameOf = (node: Node, token: string, id: string) => async (n: number) =>
  expect((await node.call('PATCH', `/api/keys/${id}`, { token, body: { name: `${n}` } })).status).toBe(200)

/** An empty database under the same address. */
const empty = async () => {
  await cluster.sqld.kill()
  await cluster.sqld.restart(newFolder())
}

const restoredInto = (folder: string, sql: string) => {
  const file = new Libsql(join(folder, 'latchkey.db'))
  const found = file.prepare<never[]>(sql).all() as Record<string, unknown>[]
  file.close()
  return found
}

test('a backup taken while two nodes write is one state: what was acknowledged before is in it, each change with its audit row', async () => {
  const [a, b] = [await cluster.addNode(), await cluster.addNode()]
  const { token } = await cluster.signIn(a)
  const keys = [await cluster.newKey(a, token), await cluster.newKey(a, token)]
  await until(async () => (await b.call('GET', '/api/me', { token })).status === 200)
  const writers = [renameOf(a, token, keys[0]!.id), renameOf(b, token, keys[1]!.id)]
  const written = [0, 0]
  let isDone = false
  const writing = writers.map(async (rename, i) => {
    for (; !isDone; written[i]!++) await rename(written[i]!)
  })
  await until(() => written.every((n) => n > 20))
  const files: { file: string; least: number[] }[] = []
  for (let n = 0; n < 3; n++) {
    const [file, least] = [join(newFolder(), 'a.backup'), [...written]]
    expect(await cli(['backup', file])).toMatchObject({ code: 0 })
    files.push({ file, least })
  }
  isDone = true
  await Promise.all(writing)
  for (const { file, least } of files) {
    expect(await cli(['drill', file])).toMatchObject({ code: 0 })
    const folder = newFolder()
    const local = {
      LATCHKEY_PRIMARY_URL: '',
      LATCHKEY_PRIMARY_TOKEN: '',
      LATCHKEY_REPLICA_TOKEN: '',
      LATCHKEY_DATABASE: '',
    }
    expect(await cli(['restore', file], { ...local, LATCHKEY_BLOBS: `file:${newFolder()}` }, folder)).toMatchObject({
      code: 0,
    })
    for (const [i, { id }] of keys.entries()) {
      const [row] = restoredInto(folder, `select name from api_keys where id = '${id}'`)
      expect(Number(row!.name)).toBeGreaterThanOrEqual(least[i]! - 1)
      const events = `select count(*) as n from audit_events where action = 'key.updated' and targets like '%${id}%'`
      expect(restoredInto(folder, events)[0]!.n).toBe(Number(row!.name) + 1)
    }
  }
  process.stdout.write(`${JSON.stringify({ written, backups: files.length })}\n`)
}, 120_000)

test('a restore goes into an empty primary alone; nodes with older copies end, and come back on it; keys wait', async () => {
  const [a, b] = [await cluster.addNode(), await cluster.addNode()]
  const { token } = await cluster.signIn(a)
  const [key, other] = [await cluster.newKey(a, token), await cluster.newKey(a, token)]
  const upload = await a.send('POST', '/api/media', token, 'the bytes', { 'x-file-name': 'a.txt' })
  expect(upload.status).toBe(201)
  const file = join(newFolder(), 'a.backup')
  expect(await cli(['backup', file])).toMatchObject({ code: 0 })
  const later = await cluster.newKey(a, token)
  expect((await cli(['restore', file])).said).toContain('The primary has data already')
  const tables = await ask(
    "select name from sqlite_schema where type in ('table', 'index') and sql is not null order by name",
  )

  await empty()
  await Promise.all([a.exited(), b.exited()])
  const blobs = { LATCHKEY_BLOBS: `file:${newFolder()}` }
  const told = await cli(['restore', file], blobs)
  expect(told).toMatchObject({ code: 0 })
  expect(told.said).toContain('2 API keys wait')
  expect(
    await ask("select name from sqlite_schema where type in ('table', 'index') and sql is not null order by name"),
  ).toEqual(tables)
  expect((await cli(['restore', file], blobs)).said).toContain('The primary has data already')

  await a.restart()
  await until(a.isReady)
  expect((await a.call('GET', '/api/me', { token })).status).toBe(401)
  for (const it of [key, other, later])
    expect((await a.call('GET', '/api/whoami', { token: it.token })).status).toBe(401)
  expect((await cli(['keys', 'confirm', key.id])).said).toContain('1 API keys')
  await until(async () => (await a.call('GET', '/api/whoami', { token: key.token })).status === 200)
  expect((await a.call('GET', '/api/whoami', { token: other.token })).status).toBe(401)
  expect(await cli(['audit', 'verify'])).toMatchObject({ code: 0 })
}, 120_000)

test('a restore that was killed leaves nothing that a node starts on, and is done by the same command again', async () => {
  const a = await cluster.addNode()
  const { token } = await cluster.signIn(a)
  await cluster.newKey(a, token)
  const primary = primaryOf()
  const rows =
    "with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000) insert into revocations (subject, created_at) select 'key:' || hex(randomblob(60)), 1 from n"
  await primary.batch([{ sql: rows, args: [] }])
  const file = join(newFolder(), 'a.backup')
  expect(await cli(['backup', file])).toMatchObject({ code: 0 })
  const counts = await ask('select (select count(*) from revocations), (select count(*) from users)')
  await a.stop()
  await empty()
  const folder = newFolder()
  const blobs = { LATCHKEY_BLOBS: `file:${newFolder()}` }
  const child = start(['restore', file], blobs, folder)
  await until(async () => (await ask('select count(*) from revocations').catch(() => [[0]]))[0]![0] !== 0)
  child.kill('SIGKILL')
  await child.exited
  const half = await ask('select (select count(*) from meta), (select count(*) from migrations)')
  expect(half).toEqual([[0, 1]])
  await expect(cluster.addNode()).rejects.toThrow('is being restored into this database, or was cut short')
  expect((await cli(['backup', join(newFolder(), 'b.backup')])).said).toContain('There is no database to back up')
  expect(await cli(['restore', file], blobs, folder)).toMatchObject({ code: 0 })
  expect(await ask('select (select count(*) from revocations), (select count(*) from users)')).toEqual(counts)
  expect(await ask("select seq from sqlite_sequence where name = 'revocations'")).toEqual([[20000]])
  const b = await cluster.addNode()
  expect(await b.isReady()).toBe(true)
  expect(existsSync(join(folder, '.restore'))).toBe(false)
}, 120_000)

test('of two nodes that are told to make backups, one makes it', async () => {
  await (await cluster.addNode()).stop()
  const to = newFolder()
  const nodes = [1, 2].map(() => start(['serve'], { LATCHKEY_PORT: '0', LATCHKEY_BACKUP_TO: `file:${to}` }))
  const isStarted = async (child: ReturnType<typeof start>) => {
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) if (text.includes('"started"')) return
  }
  await Promise.all(nodes.map(isStarted))
  await until(() => readdirSync(to).some((name) => name.endsWith('.backup')))
  for (const node of nodes) node.kill('SIGTERM')
  await Promise.all(nodes.map((node) => node.exited))
  expect(readdirSync(to)).toHaveLength(1)
}, 60_000)
