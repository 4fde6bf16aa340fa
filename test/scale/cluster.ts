// A primary and nodes around it, each reached over a link of its own, and people and keys to use them with.
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { type Sqld, startSqld } from '../sqld'
import { newFolder } from '../template'
import { type Link, startProxy } from './proxy'

// biome-ignore lint/suspicious/noExplicitAny: an answer is whatever the server sent; each test says what it expects
type Json = any
type Told = { listening?: string; failed?: string; stalledMs?: number }
const comesWithinMs = 20_000

/** A long run on a machine of its own: only that is held to the tightest bounds. */
export const isProof = Number(process.env.SCALE_REVOCATIONS ?? 0) >= 10_000

export type Node = Awaited<ReturnType<typeof newNode>>
export type Cluster = Awaited<ReturnType<typeof startCluster>>

const startProcess = async (env: Record<string, string>) => {
  let hear: (told: Told) => void = () => {}
  const child = Bun.spawn([process.execPath, join(import.meta.dir, 'node.ts')], {
    env: { ...process.env, ...env },
    stdout: Bun.file(join(env.LATCHKEY_DATA_DIR ?? '', 'log')),
    stderr: 'ignore',
    ipc: (told: Told) => hear(told),
  })
  const heard = () => new Promise<Told>((resolve) => (hear = resolve))
  const gone = child.exited.then(() => ({ failed: 'it ended' }))
  const told = await Promise.race([heard(), gone, Bun.sleep(comesWithinMs).then(() => ({ failed: 'it is slow' }))])
  if (!('listening' in told)) child.kill('SIGKILL')
  return { child, heard, ...(told as Told) }
}

const callOf =
  (base: string) =>
  async (method: string, path: string, init: { token?: string; body?: unknown; headers?: object } = {}) => {
    const response = await fetch(base + path, {
      method,
      headers: {
        ...(init.token !== undefined && { authorization: `Bearer ${init.token}` }),
        ...(init.body !== undefined && { 'content-type': 'application/json' }),
        ...init.headers,
      },
      ...(init.body !== undefined && { body: JSON.stringify(init.body) }),
      signal: AbortSignal.timeout(20_000),
    })
    const text = await response.text()
    return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as Json }
  }

/** Raw bytes, as text: up with `raw`, or down. */
const sendOf =
  (base: string) =>
  async (method: string, path: string, token: string, raw?: string, headers: Record<string, string> = {}) => {
    const response = await fetch(base + path, {
      method,
      headers: { authorization: `Bearer ${token}`, ...headers },
      ...(raw !== undefined && { body: raw }),
      signal: AbortSignal.timeout(20_000),
    })
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.includes('json') ?? false
    return { status: response.status, text, body: (isJson ? JSON.parse(text) : {}) as Json }
  }

const newNode = async (sqld: Sqld, common: Record<string, string>, env: Record<string, string>) => {
  const link: Link = await startProxy(sqld.address)
  const folder = newFolder()
  const all = {
    ...common,
    LATCHKEY_PRIMARY_URL: link.url,
    LATCHKEY_DATABASE: `file:${folder}/replica.db`,
    LATCHKEY_DATA_DIR: folder,
    ...env,
  }
  let running = await startProcess(all)
  const call = (...args: Parameters<ReturnType<typeof callOf>>) => callOf(running.listening ?? '')(...args)
  const send = (...args: Parameters<ReturnType<typeof sendOf>>) => sendOf(running.listening ?? '')(...args)
  const kill = async () => {
    running.child.kill('SIGKILL')
    await running.child.exited
  }
  const isReady = async () => (await call('GET', '/v1/health/ready')).status === 200
  return {
    ...{ link, call, send, kill, isReady, folder },
    base: () => running.listening ?? '',
    failed: () => running.failed,
    exited: () => running.child.exited,
    freeze: () => running.child.kill('SIGSTOP'),
    thaw: () => running.child.kill('SIGCONT'),
    restart: async () => {
      running = await startProcess(all)
    },
    /** The longest its event loop has stood still since it was asked last, in ms. */
    stalledMs: async () => {
      const told = running.heard()
      running.child.send('stalled')
      return (await told).stalledMs ?? 0
    },
    stop: async () => {
      const { exitCode, signalCode } = running.child
      if (exitCode === null && signalCode === null && running.failed === undefined) running.child.send('stop')
      await Promise.race([running.child.exited, Bun.sleep(2000)])
      running.child.kill('SIGKILL')
      link.stop()
    },
  }
}

/** Waits until `holds`, looking every 20 ms. @throws Error after `ms` */
export const until = async (holds: () => Promise<boolean> | boolean, ms = 15_000): Promise<void> => {
  const giveUpAt = performance.now() + ms
  while (!(await holds())) {
    if (performance.now() > giveUpAt) throw new Error('it did not come to that')
    await Bun.sleep(20)
  }
}

export const startCluster = async (shared: Record<string, string> = {}) => {
  const sqld = await startSqld()
  const common = {
    ...{ LATCHKEY_ENV: 'test', LATCHKEY_START_FLOOR_MS: '0', LATCHKEY_RATE_LIMITS: 'off', RUST_LOG: 'off' },
    LATCHKEY_MASTER_KEYS: `k:${randomBytes(32).toString('base64')}`,
    LATCHKEY_PRIMARY_TOKEN: sqld.token('rw'),
    LATCHKEY_REPLICA_TOKEN: sqld.token('ro'),
    LATCHKEY_BLOBS: `file:${newFolder()}`,
    ...shared,
  }
  const nodes: Node[] = []
  const addNode = async (env: Record<string, string> = {}) => {
    const node = await newNode(sqld, common, env)
    nodes.push(node)
    if (node.failed() !== undefined) throw new Error(node.failed())
    await until(node.isReady)
    return node
  }
  const mails = async (): Promise<Json[]> => {
    const inboxes = nodes.map((node) => node.call('GET', '/inbox.json').catch(() => ({ body: {} as Json })))
    return (await Promise.all(inboxes)).flatMap(({ body }) => body.data ?? [])
  }
  const codeFor = async (email: string): Promise<string> => {
    let code: string | undefined
    await until(async () => {
      const texts = (await mails()).filter((mail) => mail.to === email).map((mail) => mail.text as string)
      code = texts.map((text) => /\b[0-9A-Z]{4}-[0-9A-Z]{4}\b/.exec(text)?.[0]).find(Boolean)
      return code !== undefined
    })
    return code!
  }
  /** Signs a person in at a node. */
  const signIn = async (node: Node, email = `${crypto.randomUUID()}@example.com`) => {
    const { body } = await node.call('POST', '/api/auth/start', { body: { email, transport: 'token' } })
    const proof = { challenge_id: body.challenge_id, binding: body.binding, code: await codeFor(email) }
    const answer = await node.call('POST', '/api/auth/verify', { body: proof })
    if (answer.status !== 200) throw new Error(`sign-in was answered ${answer.status}`)
    return { token: answer.body.token as string, session: answer.body.session.id as string, email }
  }
  const newKey = async (node: Node, token: string, name = 'k') => {
    const { body, status } = await node.call('POST', '/api/keys', { token, body: { name } })
    if (status !== 201) throw new Error(`a key was answered ${status}`)
    return { id: body.id as string, token: body.token as string }
  }
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.stop()))
    await sqld.stop()
  }
  return { sqld, env: common, nodes, addNode, signIn, codeFor, newKey, stop }
}
