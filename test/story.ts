// A caller of the public API from outside, as a program would be: what the tour and the benchmarks drive.
type Sent = { headers?: Record<string, string>; json?: unknown; body?: BodyInit }

/** Calls to the server at `origin`. `call` throws where the answer is not `expected`, telling its code. */
export const newCaller = (origin: string) => {
  const send = (method: string, target: string, { headers = {}, json, body }: Sent = {}): Promise<Response> => {
    const content = json === undefined ? body : JSON.stringify(json)
    const type = json === undefined ? {} : { 'content-type': 'application/json' }
    return fetch(origin + target, {
      method,
      headers: { ...type, ...headers },
      ...(content !== undefined && { body: content }),
    })
  }

  // biome-ignore lint/suspicious/noExplicitAny: an answer is whatever the server sent
  const call = async (method: string, target: string, expected: number, sent?: Sent): Promise<any> => {
    const response = await send(method, target, sent)
    const text = await response.text()
    if (response.status !== expected)
      throw new Error(`${method} ${target} answered ${response.status}, not ${expected}: ${text}`)
    return text.startsWith('{') ? JSON.parse(text) : text
  }

  /** The newest code that the development inbox holds for an address; mail takes a moment. */
  const codeFor = async (email: string): Promise<string> => {
    for (let tries = 0; tries < 100; tries++) {
      const { data } = await call('GET', '/inbox.json', 200)
      const mail = data.find((m: { to: string }) => m.to === email)
      const code = /\b[0-9A-Z]{4}-[0-9A-Z]{4}\b/.exec(mail?.text ?? '')?.[0]
      if (code) return code
      await Bun.sleep(50)
    }
    throw new Error('No code came to the inbox')
  }

  return { send, call, codeFor }
}

export const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` })
