// `bun run bench [--only row] [--quick]`: what everything costs, against a bare route in the same run, as Markdown.
import { cpus, totalmem, type } from 'node:os'
import { parseArgs } from 'node:util'
import { dependencies } from '../../package.json'
import { newCaller } from '../story'
import { measureAccess } from './access'
import { requestsPerSecond, type Summary, summarize } from './measure'
import { newCredentials, startBare, startLatchkey } from './servers'
import { measureAudit, measureGrowth, measureLimiter } from './shares'
import { measureSignIn } from './sign-in'

const rows = { session: 'session-authenticated GET', key: 'key-authenticated GET' } as const
type Row = keyof typeof rows
const [signIn, peers, shares] = ['sign-in', 'peers', 'shares']
/** At least this share of the bare route's requests a second, and this many sign-ins for one of better-auth's. */
const [goal, signInGoal, growthGoal] = [0.6, 2, 1.3]

const { values: options } = parseArgs({
  options: { only: { type: 'string' }, quick: { type: 'boolean', default: false } },
})
const { rounds, seconds } = options.quick ? { rounds: 3, seconds: 1 } : { rounds: 7, seconds: 4 }

const chosen = (Object.keys(rows) as Row[]).filter((row) => (options.only ?? row) === row)
const isWanted = (part: string) => (options.only ?? part) === part
const parts = [signIn, peers, shares].filter(isWanted)
if (chosen.length + parts.length === 0)
  throw new Error(`--only takes one of ${Object.keys(rows).join(', ')}, ${signIn}, ${peers}, ${shares}`)
if (options.only !== signIn && !Bun.which('wrk')) {
  console.log('The benchmark needs wrk (Debian: apt-get install wrk).')
  process.exit(1)
}

const shown = ({ median, least, most }: Summary, digits: number) =>
  `${median.toFixed(digits)} (${least.toFixed(digits)}–${most.toFixed(digits)})`

const printTable = (bare: readonly number[], measured: Map<Row, number[]>) => {
  const cpu = cpus()[0]?.model ?? 'unknown'
  console.log(
    `${new Date().toISOString().slice(0, 10)} · ${type()}, ${cpus().length} × ${cpu}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
  )
  console.log(`Bun ${Bun.version} · Elysia ${dependencies.elysia} · wrk, 1 thread, 32 connections`)
  console.log(`${rounds} rounds of ${seconds} s, interleaved; median (least–most)\n`)
  console.log('| what | requests/s | share of bare, in % | goal |\n|---|---|---|---|')
  console.log(`| bare Elysia route | ${shown(summarize(bare), 0)} | 100 | |`)
  return [...measured].map(([row, rates]) => {
    const share = summarize(rates.map((rate, i) => rate / bare[i]!))
    const percent = { median: share.median * 100, least: share.least * 100, most: share.most * 100 }
    const met = share.median >= goal
    console.log(
      `| ${rows[row]} | ${shown(summarize(rates), 0)} | ${shown(percent, 1)} | ${goal * 100} ${met ? 'met' : 'missed'} |`,
    )
    return met
  })
}

/** Whether each row meets its goal. */
const measureRequests = async (): Promise<boolean[]> => {
  const latchkey = await startLatchkey()
  const credentials = await newCredentials(latchkey.url)
  const answer = await newCaller(latchkey.url).call('GET', '/api/whoami', 200, { headers: credentials.session })
  const bareServer = await startBare(JSON.stringify(answer))
  const loads = { bare: { url: bareServer.url, headers: {} } } as Record<
    Row | 'bare',
    { url: string; headers: Record<string, string> }
  >
  for (const row of chosen) loads[row] = { url: `${latchkey.url}/api/whoami`, headers: credentials[row] }
  try {
    for (const load of Object.values(loads)) await requestsPerSecond(load, 2)
    const bare: number[] = []
    const measured = new Map<Row, number[]>(chosen.map((row) => [row, []]))
    for (let round = 0; round < rounds; round++) {
      bare.push(await requestsPerSecond(loads.bare, seconds))
      for (const [row, rates] of measured) rates.push(await requestsPerSecond(loads[row], seconds))
    }
    return printTable(bare, measured)
  } finally {
    await Promise.all([latchkey.stop(), bareServer.stop()])
  }
}

const printSignIn = async (): Promise<boolean> => {
  const { ours, theirs, peer } = await measureSignIn(rounds, seconds * 10)
  const times = summarize(ours.map((rate, i) => rate / theirs[i]!))
  const met = times.median >= signInGoal
  console.log(
    `\n16 people at once, from asking for a code to a session; ${rounds} rounds, in turn; median (least–most)\n`,
  )
  console.log('| what | sign-ins/s | times the other | goal |\n|---|---|---|---|')
  console.log(`| ${peer}, e-mail OTP | ${shown(summarize(theirs), 0)} | 1 | |`)
  console.log(
    `| Latchkey | ${shown(summarize(ours), 0)} | ${shown(times, 2)} | ${signInGoal} ${met ? 'met' : 'missed'} |`,
  )
  return met
}

const printPeers = async (): Promise<boolean[]> => {
  const compared = await measureAccess(rounds, seconds)
  console.log(`\nThe same read beside others; ${rounds} rounds of ${seconds} s, in turn; median (least–most)\n`)
  console.log('| what | against | theirs/s | ours/s | times theirs | goal |\n|---|---|---|---|---|---|')
  return compared.map(({ what, peer, atLeast, ours, theirs }) => {
    const times = summarize(ours.map((rate, i) => rate / theirs[i]!))
    const met = times.median >= atLeast
    const rates = `${shown(summarize(theirs), 0)} | ${shown(summarize(ours), 0)} | ${shown(times, 1)}`
    console.log(`| ${what} | ${peer} | ${rates} | ${atLeast} ${met ? 'met' : 'missed'} |`)
    return met
  })
}

const printShares = async (): Promise<boolean> => {
  const growth = summarize(await measureGrowth(rounds, seconds))
  const percent = (values: readonly number[]) => shown(summarize(values.map((share) => share * 100)), 1)
  const met = growth.median <= growthGoal
  console.log(`\nWhat parts cost; ${rounds} rounds, in turn; median (least–most)\n\n| what | | goal |\n|---|---|---|`)
  console.log(`| 10⁶ keys against 10³, times slower | ${shown(growth, 2)} | ${growthGoal} ${met ? 'met' : 'missed'} |`)
  console.log(`| the limiter, share of a read in % | ${percent(await measureLimiter(rounds, seconds))} | |`)
  console.log(`| the audit row, share of a durable write in % | ${percent(await measureAudit(rounds))} | |`)
  return met
}

const met = [
  ...(chosen.length > 0 ? await measureRequests() : []),
  ...(isWanted(signIn) ? [await printSignIn()] : []),
  ...(isWanted(peers) ? await printPeers() : []),
  ...(isWanted(shares) ? [await printShares()] : []),
]
if (met.includes(false)) process.exitCode = 1
