// The database contract, against the local file and against a real sqld over HTTP.
import { openHttpDatabase } from '../src/adapters/database-http'
import { databaseContract } from './contract/database'
import { startSqld } from './sqld'
import { newTestDatabase } from './template'

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
