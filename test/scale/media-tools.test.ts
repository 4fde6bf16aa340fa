// The tools people download with: each resumes, splits or probes a file of ours and ends with the very same bytes.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { randomBytes } from '../../src/lib/crypto'
import { storages } from '../storages'
import { origin, type TestApp, testApp } from '../support'
import { newFolder } from '../template'
import { serveOnWire } from '../wire'

const size = 24 * 1024 * 1024
const bytes = Buffer.concat(Array.from({ length: size / 65_536 }, () => randomBytes(65_536)))
const folder = newFolder()
describe.each(storages)('a file $name', ({ options }) => {
  let app: TestApp
  let server: ReturnType<typeof serveOnWire>
  let headers: string[]
  let upload: (raw: Uint8Array) => Promise<string>

  beforeAll(async () => {
    app = await testApp(await options())
    server = serveOnWire(app.app.fetch)
    const admin = await app.as('admin')
    headers = [`Host: ${new URL(origin).host}`, `Authorization: ${admin.headers.authorization}`]
    upload = async (raw) => {
      const response = await app.fetch('POST', '/api/media', { headers: admin.headers, raw: Buffer.from(raw) })
      return `http://127.0.0.1:${server.port}${((await response.json()) as { url: string }).url}`
    }
  })
  afterAll(async () => {
    server.stop()
    await app.stop()
  })

  const run = async (...command: string[]) => {
    const child = Bun.spawn(command, { cwd: folder, stdout: 'pipe', stderr: 'pipe' })
    const [out] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
    return { code: await child.exited, out }
  }
  const having = (tool: string) => test.skipIf(Bun.which(tool) === null)
  const each = (flag: string) => headers.flatMap((header) => [flag, header])
  /** A file of which the first part is there already. */
  const begun = (name: string) => {
    writeFileSync(join(folder, name), bytes.subarray(0, 5_000_001))
    return name
  }
  const isSame = (name: string) => readFileSync(join(folder, name)).equals(bytes)

  having('curl')('curl resumes', async () => {
    const name = begun('curl')
    const { code } = await run('curl', '-sS', '-f', '-C', '-', '-o', name, ...each('-H'), await upload(bytes))
    expect([code, isSame(name)]).toEqual([0, true])
  })

  having('wget')('wget resumes', async () => {
    const name = begun('wget')
    const { code } = await run(
      'wget',
      '-q',
      '-c',
      '-O',
      name,
      ...headers.map((h) => `--header=${h}`),
      await upload(bytes),
    )
    expect([code, isSame(name)]).toEqual([0, true])
  })

  having('aria2c')('aria2c takes it in eight pieces at once', async () => {
    const split = ['-x8', '-s8', '-k1M', '--allow-overwrite=true', '--file-allocation=none']
    const { code } = await run(
      'aria2c',
      '-q',
      ...split,
      '-o',
      'aria',
      ...headers.map((h) => `--header=${h}`),
      await upload(bytes),
    )
    expect([code, isSame('aria')]).toEqual([0, true])
  })

  having('ffprobe')('ffprobe finds its way in a film, whose index is at the end', async () => {
    const film = ['-f', 'lavfi', '-i', 'testsrc=d=2:s=320x240', '-pix_fmt', 'yuv420p', 'film.mp4']
    expect((await run('ffmpeg', '-v', 'error', '-y', ...film)).code).toBe(0)
    const url = await upload(readFileSync(join(folder, 'film.mp4')))
    const show = ['-show_entries', 'format=duration', '-of', 'csv=p=0']
    const { code, out } = await run(
      'ffprobe',
      '-v',
      'error',
      '-headers',
      headers.map((h) => `${h}\r\n`).join(''),
      ...show,
      url,
    )
    expect([code, Number(out)]).toEqual([0, 2])
  })
})
