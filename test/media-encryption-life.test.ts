// Sealed media over the life of an instance: settings and master keys that change, backups, a process that is killed.
import { expect, test } from 'bun:test'
import { copyFileSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { randomBytes } from '../src/lib/crypto'
import { cli, newInstance, serve, spawnCli } from './backup-house'
import { bearer } from './story'
import { newFolder } from './template'

const on = { LATCHKEY_MEDIA_ENCRYPTION: 'on' }
const newKey = (kid: string) => `${kid}:${Buffer.from(randomBytes(32)).toString('base64')}`
const objectsOf = (folder: string) =>
  readdirSync(join(folder, 'media/objects')).map((it) => join(folder, 'media/objects', it))
const isSealed = (folder: string, bytes: Uint8Array) =>
  !objectsOf(folder).some((path) => readFileSync(path).includes(bytes))

type Server = Awaited<ReturnType<typeof serve>>
const bytesOf = async ({ send }: Pick<Server, 'send'>, id: string, headers: Record<string, string>) =>
  Buffer.from(await (await send('GET', `/media/${id}`, { headers })).arrayBuffer())

test('what was stored before the setting changed is read as it lies, on either side of the change', async () => {
  const one = await newInstance()
  await one.stop()
  const sealing = await serve(one.folder, on)
  const body = new Uint8Array(randomBytes(90_000))
  const later = await sealing.call('POST', '/api/media', 201, { headers: one.headers, body })
  for (const [i, { id }] of one.media.entries())
    expect((await bytesOf(sealing, id, one.headers)).equals(one.bytes[i]!)).toBeTrue()
  expect([isSealed(one.folder, one.bytes[0]!), isSealed(one.folder, body)]).toEqual([false, true])
  await sealing.stop()
  const plain = await serve(one.folder)
  expect((await bytesOf(plain, later.id, one.headers)).equals(body)).toBeTrue()
  await plain.stop()
})

test('files stay readable when the master key is another, and without the old one; without the new one nothing starts', async () => {
  const [before, after] = [newKey('m1'), newKey('m2')]
  const one = await newInstance({ ...on, LATCHKEY_MASTER_KEYS: before })
  await one.stop()
  for (const keys of [`${after},${before}`, after]) {
    const server = await serve(one.folder, { ...on, LATCHKEY_MASTER_KEYS: keys })
    expect((await bytesOf(server, one.media[0].id, one.headers)).equals(one.bytes[0]!)).toBeTrue()
    await server.stop()
  }
  await expect(serve(one.folder, { ...on, LATCHKEY_MASTER_KEYS: before })).rejects.toThrow('needs the master key "m2"')
})

test('a backup holds sealed media as it lies, restores to what was uploaded, and a drill finds what is damaged', async () => {
  const one = await newInstance(on)
  const backup = join(newFolder(), 'a.backup')
  expect(await cli(one.folder, ['backup', backup], on)).toMatchObject({ code: 0 })
  expect(readFileSync(backup).includes(one.bytes[0]!)).toBeFalse()
  const folder = newFolder()
  copyFileSync(join(one.folder, 'master.key'), join(folder, 'master.key'))
  expect(await cli(folder, ['restore', backup])).toMatchObject({ code: 0 })
  await cli(folder, ['keys', 'confirm', '--all'])
  const restored = await serve(folder, on)
  const headers = bearer(one.keys[0].token)
  for (const [i, { id }] of one.media.entries())
    expect((await bytesOf(restored, id, headers)).equals(one.bytes[i]!)).toBeTrue()
  await restored.stop()
  for (const path of objectsOf(one.folder)) {
    const object = readFileSync(path)
    object[20]! ^= 1
    writeFileSync(path, object)
  }
  const damaged = join(newFolder(), 'b.backup')
  await cli(one.folder, ['backup', damaged], on)
  const drill = await cli(one.folder, ['drill', damaged], on)
  expect(drill.code).toBe(1)
  for (const { id } of one.media) expect(drill.said).toContain(id)
  await one.stop()
})

test('a process that is killed while a file comes leaves nothing of it that could be read', async () => {
  const one = await newInstance(on)
  await one.stop()
  const child = spawnCli(one.folder, [], on)
  let said = ''
  let listening: string | undefined
  for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) {
    said += part
    listening = /"listening":"([^"]+)"/.exec(said)?.[1]
    if (listening) break
  }
  const { hostname, port, host } = new URL(listening ?? '')
  const socket = connect(Number(port), hostname)
  socket.on('error', () => {})
  const canary = 'a canary that must never be seen '
  const head = [`POST /api/media HTTP/1.1`, `Host: ${host}`, 'Content-Length: 900000']
  for (const [name, value] of Object.entries(one.headers)) head.push(`${name}: ${value}`)
  socket.write(`${head.join('\r\n')}\r\n\r\n${canary.repeat(10_000)}`)
  const staged = join(one.folder, 'media/staged')
  const isUnderWay = () => readdirSync(staged).some((name) => statSync(join(staged, name)).size > 200_000)
  for (const end = performance.now() + 10_000; !isUnderWay(); await Bun.sleep(5))
    if (performance.now() > end) throw new Error('nothing was staged')
  child.kill('SIGKILL')
  await child.exited
  socket.destroy()
  expect(readdirSync(staged)).toHaveLength(1)
  const paths = readdirSync(one.folder, { recursive: true, encoding: 'utf8' }).map((name) => join(one.folder, name))
  for (const path of paths.filter((it) => statSync(it).isFile()))
    expect([path, readFileSync(path).includes(canary)]).toEqual([path, false])
}, 30_000)
