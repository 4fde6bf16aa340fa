// `bun run bench [--only part] [--quick] [--write]`: every figure that is promised, measured beside others in one run.
import { cpus, loadavg, totalmem, type } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { dependencies } from '../../package.json'
import { measureBinary, measureSoak } from './binary'
import { measureFirst, measureGrowth } from './first'
import { type Judged, judge, type Line } from './lines'
import { measureEncryptedMedia, measureLargeMedia, measureSmallMedia } from './media'
import { pictureOf } from './picture'
import { createScope, type Scope } from './processes'
import type { Effort } from './race'
import { measureReads } from './reads'
import { measureShares } from './shares'
import { measureSignIn } from './sign-in'
import { markdownOf, putBetweenMarks } from './table'

const parts: Record<string, (effort: Effort, scope: Scope) => Promise<Line[]>> = {
  session: (effort, scope) => measureReads('session', effort, scope),
  key: (effort, scope) => measureReads('key', effort, scope),
  first: measureFirst,
  'sign-in': measureSignIn,
  'media-64k': measureSmallMedia,
  'media-64m': measureLargeMedia,
  'media-encrypted': measureEncryptedMedia,
  growth: (effort, scope) => measureGrowth(options.quick ? 100_000 : 1_000_000, effort, scope),
  shares: measureShares,
  binary: (_, scope) => measureBinary(options.quick ? 6 : 21, scope),
  soak: (_, scope) => measureSoak(options.quick ? 60 : 600, scope, (text) => console.error(`   ${text}`)),
}

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    quick: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
})
const chosen = options.only ?? Object.keys(parts)
const unknown = chosen.filter((name) => !(name in parts))
if (unknown.length > 0 || (options.only && options.write)) {
  console.error(`--only takes one of ${Object.keys(parts).join(', ')}; --write takes all`)
  process.exit(2)
}
const effort: Effort = options.quick ? { rounds: 3, seconds: 1 } : { rounds: 7, seconds: 4 }

/** No part takes as long, and none that hangs holds up the others. */
const mostMs = 15 * 60_000

// What else runs here spoils the figures: whoever reads them shall see it.
const load = (loadavg()[0] ?? 0).toFixed(1)
const judged: Judged[] = []
for (const name of chosen) {
  const began = performance.now()
  const scope = createScope()
  const tooLong = Bun.sleep(mostMs).then(() => Promise.reject(new Error('it took too long')))
  const lines = await Promise.race([parts[name]!(effort, scope), tooLong]).catch((error): Line[] => [
    { what: name, against: '', unit: '', goal: { by: 'share' }, failure: String(error).slice(0, 500) },
  ])
  await scope.close().catch((error) => console.error(`${name} did not end well:`, error))
  const results = lines.map(judge)
  judged.push(...results)
  console.error(`── ${name}, ${Math.round((performance.now() - began) / 1000)} s`)
  for (const { what, against, ours, theirs, result, goal, verdict } of results)
    console.error(`   ${what} | ${against} | ${ours} | ${theirs} | ${result} | ${goal} ${verdict}`)
}

const machine = `${type()}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB`
const nginx = Bun.which('nginx') ? Bun.spawnSync(['nginx', '-v']).stderr.toString().trim().split('/').at(-1) : 'absent'
const how = `Bun ${Bun.version}, Elysia ${dependencies.elysia}, nginx ${nginx}, wrk`
const day = new Date().toISOString().slice(0, 10)
const heading = `${day} · ${machine} · ${how} · ${effort.rounds} rounds of ${effort.seconds} s, in turn · load ${load} before`
const table = markdownOf(heading, judged)
console.log(`\n${table}`)

if (options.write) {
  const root = join(import.meta.dir, '../..')
  await Bun.write(join(root, 'docs/bench.svg'), pictureOf(`${day} · ${machine}`, judged))
  const picture = '![Each figure beside its goal](docs/bench.svg)'
  const readme = join(root, 'README.md')
  await Bun.write(readme, putBetweenMarks(await Bun.file(readme).text(), `${picture}\n\n${table}`))
}
const verdicts = judged.map(({ verdict }) => verdict)
process.exit(verdicts.includes('failed') ? 2 : verdicts.includes('missed') ? 1 : 0)
