// Codes that were mailed, for the driver: `/code?email=` answers as soon as there is one, and forgets it.

export const createMailCodes = () => {
  const codes = new Map<string, string>()
  const waiting = new Map<string, (code: string) => void>()
  return {
    sent: (email: string, code: string): void => {
      const wake = waiting.get(email)
      if (wake) wake(code)
      else codes.set(email, code)
      waiting.delete(email)
    },
    /** The answer to a request for a code; null for any other. */
    answer: (request: Request): Promise<Response> | Response | null => {
      const { pathname, searchParams } = new URL(request.url)
      if (pathname !== '/code') return null
      const email = searchParams.get('email') ?? ''
      const code = codes.get(email)
      codes.delete(email)
      if (code !== undefined) return new Response(code)
      return new Promise((resolve) => void waiting.set(email, (late) => resolve(new Response(late))))
    },
  }
}
