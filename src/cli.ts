// The command line: serve (the default) and what an operator does beside it. The entry of source and binary alike.
import { readFileSync, writeSync } from 'node:fs'
import { version } from '../package.json'
import type { App } from './app'
import { type Config, describeConfig, type Env, readConfig } from './config'
import { envExample } from './config/settings'
import { withSettingsFile } from './config/settings-file'
import type { Tenant } from './features/operator/model'
import type { Ports } from './services'

// Loaded by the command that needs it: a health check is quick, and what cannot be loaded is told in words.
const program = async () => ({
  ...(await import('./adapters/log-pino')),
  ...(await import('./adapters/standard-output')),
  ...(await import('./app')),
  ...(await import('./runtime/bun')),
  ...(await import('./runtime/ports')),
})

declare const BUILT_AS: 'binary' | undefined
const source = typeof BUILT_AS === 'undefined' ? 'source' : BUILT_AS

let env: Env | undefined
const settle = (port?: number) => {
  env ??= withSettingsFile(process.env, (path) => readFileSync(path, 'utf8'))
  return readConfig(port === undefined ? env : { ...env, LATCHKEY_PORT: String(port) }, { source })
}
const say = (text: string) => writeSync(1, `${text}\n`)

const serve = async () => {
  const { createLog, standardOutput, startServer } = await program()
  const log = createLog(standardOutput())
  const command = source === 'binary' ? [process.execPath] : [process.execPath, import.meta.path]
  const { listening, config, stop } = await startServer(settle, log, { program: { command, env: process.env } })
  const end = async (signal: string) => {
    // Asked twice, it does not wait.
    for (const again of ['SIGTERM', 'SIGINT']) process.on(again, () => process.exit(1))
    log.info({ signal }, 'stopping')
    process.exit((await stop()) ? 0 : 1)
  }
  process.once('SIGTERM', end)
  process.once('SIGINT', end)
  process.on('uncaughtException', (error) => {
    log.error({ error }, 'ended by an error nobody caught')
    process.exit(1)
  })
  if (process.stdout.isTTY && config.env === 'development')
    say(`Latchkey is at ${config.origin}, its mail at ${config.origin}/inbox`)
  const { origin, env, signUp, human, sessions, startFloorMs, rateLimits } = config
  log.info(
    { version, listening, origin, env, policy: { signUp, human, sessions, startFloorMs, rateLimits } },
    'started',
  )
}

/** Ends with 0 when the server of these settings answers that it lives. */
const healthcheck = async () => {
  const { host, port } = settle().config.listen
  const here = { '0.0.0.0': '127.0.0.1', '::': '::1' }[host] ?? host
  const name = here.includes(':') ? `[${here}]` : here
  const answer = await fetch(`http://${name}:${port}/v1/health`, { signal: AbortSignal.timeout(2000) })
  if (!answer.ok) throw new Error(`It answers ${answer.status}.`)
}

/**
 * Runs `work` with the services of the server of these settings, which is not running, or has a primary; `instead` says
 * what they are to be given that the settings do not name.
 */
const withServices = async <T>(
  work: (services: App['services'], ports: Ports) => Promise<T>,
  instead: Partial<Config> = {},
): Promise<T> => {
  const { createApp, createLog, openPorts, standardOutput } = await program()
  const { config: own, secrets } = settle()
  const { database } = own
  // A primary is asked itself: a node beside may have its copy open.
  const config: Config = {
    ...own,
    ...(database.kind === 'replica' && { database: { kind: 'remote', url: database.url } }),
    ...instead,
  }
  const { ports, close } = await openPorts(config, secrets, createLog(standardOutput()))
  try {
    return await work((await createApp(config, ports)).services, ports)
  } finally {
    await close()
  }
}

const migrate = async () => {
  const { openDatabase } = await program()
  const { config, secrets } = settle()
  const db = await openDatabase(config, secrets)
  await db.close()
  say('The database is up to date.')
}

/** With a file: that, by the public keys given. Without: the database of these settings, by its own keys. */
const verifyAudit = async (args: string[]) => {
  const { readVerifyArgs, verifyFile } = await import('./doctor/audit')
  const { file, keys, publishedBy } = readVerifyArgs(args)
  const { what, broken } =
    file === undefined ? await verifyOwn(publishedBy) : await verifyFile(file, keys, publishedBy(keys))
  for (const { chain, reason, position } of broken) say(`${chain}: ${reason} at ${position}`)
  if (broken.length > 0) throw new Error('The audit does not hold.')
  say(`The audit holds: ${what}.`)
}

const verifyOwn = (publishedBy: ReturnType<typeof import('./doctor/audit').readVerifyArgs>['publishedBy']) =>
  withServices(async ({ audit }) => {
    const keys = audit.publicKeys()
    const { chains, broken } = await audit.verifyAll(publishedBy(keys))
    return { what: `${chains} audit chains, signed by ${keys.join(', ')}`, broken }
  })

const doctorAccess = async (args: string[]) =>
  (await import('./doctor/access')).doctorAccess(args, settle().config.origin, say)

const backups = () => import('./backup/commands')

/** Follows the audit of what a drill restored, as the server of these settings would. */
const auditAt = ({ database, media }: { database: string; media: string }) =>
  withServices(({ audit }) => audit.verifyAll(), {
    database: { kind: 'local', path: database },
    blobs: { kind: 'disk', path: media },
  })

/** Lets API keys live again that a restored backup suspended. */
const confirmKeys = async (args: string[]) => {
  const isAll = args.join() === '--all'
  if (args.length === 0 || (!isAll && args.some((id) => id.startsWith('-'))))
    throw new Error('latchkey keys confirm --all | <id>…')
  await withServices(async ({ hygiene }) => say(`${await hygiene.confirm(isAll ? null : args)} API keys live again.`))
}

const takeMedia = () =>
  withServices(async ({ mediaOwner }) => {
    await mediaOwner.take()
    say('The media is of this instance alone: what it has no row for is removed in time.')
  })

/** Signs new sessions with a new key from the time on by which every node has read it; the old ones stay good. */
const rotateKeys = () =>
  withServices(async (_services, { keyring, clock }) => {
    const from = clock.now() + 2 * 60_000
    await keyring.rotate('session', from)
    say(`Sessions are signed with a new key from ${new Date(from).toISOString()} on.`)
  })

const sayTenant = ({ id, plan, credits }: Tenant) => say(`${id}: plan ${plan}, ${credits} credits.`)

const setPlan = ([workspace, plan, ...more]: string[]) => {
  if (!workspace || !plan || more.length > 0) throw new Error('latchkey plan <workspace> <plan>')
  return withServices(async ({ operator }) => sayTenant(await operator.setPlan(workspace, plan)))
}

const addCredits = ([workspace, count = '', ...more]: string[]) => {
  if (!workspace || !/^[+-][1-9]\d{0,14}$/.test(count) || more.length > 0)
    throw new Error('latchkey credits <workspace> +<number> | -<number>')
  return withServices(async ({ operator }) => sayTenant(await operator.addCredits(workspace, Number(count))))
}

const commands: Record<string, (args: string[]) => unknown> = {
  serve,
  migrate,
  'config check': () => say(describeConfig(settle().config)),
  'config example': () => writeSync(1, envExample()),
  'audit verify': verifyAudit,
  'doctor access': doctorAccess,
  'keys rotate': rotateKeys,
  'keys confirm': confirmKeys,
  'media take': takeMedia,
  plan: setPlan,
  credits: addCredits,
  backup: async (args) => (await backups()).backup(args, settle(), version, say),
  backups: async () => (await backups()).backups(settle(), say),
  restore: async (args) => (await backups()).restore(args, settle(), say),
  drill: async (args) => (await backups()).drill(args, settle(), auditAt, say),
  healthcheck,
  version: () => say(version),
}

// What it makes is its owner's alone.
process.umask(0o077)

try {
  const words = process.argv.slice(2)
  const asked = words.join(' ') || 'serve'
  const name = Object.keys(commands).find((it) => asked === it || asked.startsWith(`${it} `))
  const args = words.slice(name?.split(' ').length)
  const command = commands[name ?? '']
  // One that names no parameter takes no arguments.
  if (!command || (args.length > 0 && command.length === 0))
    throw new Error(`latchkey ${Object.keys(commands).join(' | ')}`)
  await command(args)
} catch (error) {
  writeSync(2, `${error instanceof Error ? error.message : 'It failed.'}\n`)
  process.exit(1)
}
