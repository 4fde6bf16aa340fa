// A larger primary and its media, backed up into a bucket and brought back: what it takes, and that memory stays flat.
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { createPrimary } from '../../src/adapters/primary'
import { measured, newPair, spawnCli } from '../backup-house'
import { hasS3, newS3Options } from '../s3'
import { newFolder } from '../template'
import { type Cluster, startCluster } from './cluster'

// SCALE_BACKUP_MB=150 for the published figures: so much database, and as much media.
const size = Number(process.env.SCALE_BACKUP_MB ?? 30)
const mb = 2 ** 20

let cluster: Cluster
beforeEach(async () => {
  cluster = await startCluster()
})
afterEach(() => cluster.stop(), 30_000)

const fill = async () => {
  const primary = createPrimary({ url: cluster.sqld.url, token: cluster.sqld.token('rw'), timeoutMs: 60_000 })
  const some = `with recursive n(i) as (select 1 union all select i + 1 from n where i < 4000)
    insert into revocations (subject, created_at) select 'key:' || hex(randomblob(120)), 1 from n`
  for (let i = 0; i < size; i++) await primary.batch([{ sql: some, args: [] }])
}

test.skipIf(!hasS3())(
  'a primary goes into a bucket, sealed, and back into an empty primary, in flat memory',
  async () => {
    const node = await cluster.addNode()
    const { token } = await cluster.signIn(node)
    await fill()
    const body = new Uint8Array((size / 3) * mb)
    for (let i = 0; i < 3; i++) {
      const headers = { authorization: `Bearer ${token}`, 'x-file-name': 'large.bin' }
      const answer = await fetch(`${node.base()}/api/media`, { method: 'POST', headers, body })
      expect(answer.status).toBe(201)
    }
    await node.stop()
    const { place, keys } = await newS3Options()
    const { LATCHKEY_ENV: _, ...common } = cluster.env
    const folder = newFolder()
    const env = {
      ...common,
      ...newPair(),
      LATCHKEY_PRIMARY_URL: cluster.sqld.url,
      LATCHKEY_DATABASE: `file:${folder}/replica.db`,
      LATCHKEY_BACKUP_TO: `s3:/${place.root}${place.prefix.slice(0, -1)}?endpoint=${place.origin}`,
      LATCHKEY_BACKUP_S3_ACCESS_KEY: keys.access,
      LATCHKEY_BACKUP_S3_SECRET_KEY: keys.secret,
    }
    const backup = await measured(folder, ['backup'], env)
    const drill = await measured(folder, ['drill'], env)
    const name = (await new Response(spawnCli(folder, ['backups'], env).stdout).text()).trim()
    await cluster.sqld.kill()
    await cluster.sqld.restart(newFolder())
    const restore = await measured(folder, ['restore', name], { ...env, LATCHKEY_BLOBS: `file:${newFolder()}` })
    process.stdout.write(`${JSON.stringify({ databaseMb: size, mediaMb: size, backup, drill, restore })}\n`)
    expect(Math.max(backup.peakMb, drill.peakMb, restore.peakMb)).toBeLessThan(250)
  },
  600_000,
)
