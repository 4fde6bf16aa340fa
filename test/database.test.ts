// The database contract, against the local file and against a real sqld, over HTTP and as its replica.
import { join } from 'node:path'
import { openHttpDatabase } from '../src/adapters/database-http'
import { openReplicaDatabase } from '../src/adapters/database-replica'
import { databaseContract } from './contract/database'
import { startSqld } from './sqld'
import { newFolder, newTestDatabase } from './template'

databaseContract('a local file', newTestDatabase)

databaseContract('a primary over HTTP', async () => {
  const sqld = await startSqld()
  const db = await openHttpDatabase({ url: sqld.url, token: sqld.token('rw') })
  const close = async () => {
    await db.close()
    await sqld.stop()
  }
  return { db, close }
})

databaseContract('a replica', async () => {
  const sqld = await startSqld()
  const path = join(newFolder(), 'replica.db')
  const db = await openReplicaDatabase({ path, url: sqld.url, token: sqld.token('rw'), replicaToken: sqld.token('ro') })
  const close = async () => {
    await db.close()
    await sqld.stop()
  }
  return { db, close }
})
