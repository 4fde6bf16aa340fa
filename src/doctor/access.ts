// `latchkey doctor access`: the denial matrix against a live server, over HTTP alone, by people it makes and removes.
import { createInterface } from 'node:readline/promises'
import { parseArgs } from 'node:util'
import { createSend, listOf } from './http'
import { routesOf, runMatrix } from './matrix'
import { makeWorld, removeWorld, type Tools } from './principals'

const codeShape = /\b[0-9A-Z]{4}-[0-9A-Z]{4}\b/
const mostWaits = 30

const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** Asks the server at `origin`; told to slow down, it does. */
const sendTo = (origin: string) =>
  createSend(async (method, target, headers, body) => {
    for (let waits = 0; ; waits++) {
      const answer = await fetch(origin + target, {
        method,
        headers,
        redirect: 'manual',
        ...(body !== undefined && { body }),
      })
      const after = Number(answer.headers.get('retry-after') ?? 1)
      if (answer.status !== 429 || waits === mostWaits) return answer
      await answer.body?.cancel()
      await wait(Math.min(after, 60) * 1000)
    }
  })

/** Reads codes from the page where development shows its mail, each mail once. */
const fromInbox = (send: Tools['send']): Tools['codeFor'] => {
  const read = new Set<unknown>()
  return async (email) => {
    for (let tries = 0; tries < 50; tries++) {
      const mails = listOf(await send('GET', '/inbox.json')).filter((m) => m.to === email && !read.has(m.id))
      for (const { id } of mails) read.add(id)
      const code = mails.map(({ text }) => codeShape.exec(String(text))?.[0]).find((found) => found !== undefined)
      if (code !== undefined) return code
      await wait(100)
    }
    throw new Error('No code came: a server that sends its mail needs --mailbox and somebody who reads it.')
  }
}

const fromTerminal: Tools['codeFor'] = async (email) => {
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  const code = await terminal.question(`The code that was mailed to ${email}: `)
  terminal.close()
  return code.trim()
}

/**
 * Runs the matrix against `origin`, else against `--origin`. `--mailbox 'x{}@example.com'`: addresses that somebody reads,
 * whose codes it asks for; without it, it reads the inbox of development. `--operator`: an operator's address, likewise.
 * @throws Error where a cell does not hold.
 */
export const doctorAccess = async (args: string[], origin: string, say: (text: string) => void): Promise<void> => {
  const options = { origin: { type: 'string' }, mailbox: { type: 'string' }, operator: { type: 'string' } } as const
  const { values } = parseArgs({ args, options })
  const [at, run] = [values.origin ?? origin, Math.random().toString(36).slice(2, 8)]
  const send = sendTo(at)
  const pattern = values.mailbox ?? 'doctor-{}@example.com'
  if (!pattern.includes('{}')) throw new Error("--mailbox takes an address with {} in it, as 'doctor-{}@example.com'.")
  const tools: Tools = {
    ...{ send, origin: at, wait, now: Date.now },
    addressOf: (name) => pattern.replace('{}', `${name}-${run}`),
    codeFor: values.mailbox === undefined ? fromInbox(send) : fromTerminal,
    ...(values.operator !== undefined && { operator: values.operator }),
    made: new Map(),
  }
  try {
    const w = await makeWorld(tools)
    const cells = await runMatrix(w, routesOf((await send('GET', '/api/openapi.json')).body))
    const wrong = cells.filter((c) => !c.holds)
    for (const c of wrong) say(`${c.route} (${c.place} project) as ${c.who}: ${c.status}, should be ${c.expected}`)
    const passed = cells.filter((c) => c.expected === 'passes').length
    if (wrong.length > 0) throw new Error(`${wrong.length} of ${cells.length} answers are not what they should be.`)
    say(`All ${cells.length} answers are as they should be: ${cells.length - passed} denials, ${passed} that pass.`)
  } finally {
    const left = (await removeWorld(tools)).filter((status) => status !== 204)
    if (left.length > 0) say(`${left.length} of the accounts it made could not be removed: ${left.join(', ')}.`)
  }
}
