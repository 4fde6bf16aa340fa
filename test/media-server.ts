// A process of its own that serves media from the storage of that name, for measuring: says where and as whom, then its memory and open files whenever it is asked.
import { readdirSync } from 'node:fs'
import { storages } from './storages'
import { testApp } from './support'
import { serveOnWire } from './wire'

const storage = storages.find(({ name }) => name === process.argv[2]) ?? storages[0]!
const app = await testApp(await storage.options())
const server = serveOnWire(app.app.fetch)
const { headers } = await app.as('admin')

const rss = () => process.memoryUsage.rss()
const files = () => (process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0)
let peak = rss()
setInterval(() => {
  peak = Math.max(peak, rss())
}, 10)

console.log(JSON.stringify({ port: server.port, headers }))
for await (const _ of console) {
  Bun.gc(true)
  console.log(JSON.stringify({ peak: Math.max(peak, rss()), now: rss(), files: files() }))
  peak = rss()
}
server.stop()
await app.stop()
process.exit(0)
