// Measuring by wrk, and what the numbers come to.

export type Load = { url: string; headers: Record<string, string> }

/** Requests a second that `url` answers to 32 connections for `seconds`. @throws Error where an answer is not 2xx */
export const requestsPerSecond = async ({ url, headers }: Load, seconds: number): Promise<number> => {
  const given = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  const wrk = Bun.spawn(['wrk', '-t1', '-c32', `-d${seconds}s`, ...given, url], { stdout: 'pipe', stderr: 'inherit' })
  const report = await new Response(wrk.stdout).text()
  const rate = /Requests\/sec:\s+([\d.]+)/.exec(report)?.[1]
  if ((await wrk.exited) !== 0 || !rate || report.includes('Non-2xx')) throw new Error(`wrk on ${url}:\n${report}`)
  return Number(rate)
}

export type Summary = { median: number; least: number; most: number }

/** `values` is not empty. */
export const summarize = (values: readonly number[]): Summary => {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const median = sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
  return { median, least: sorted[0]!, most: sorted.at(-1)! }
}
