// Measuring by wrk.
import { textOf } from './processes'

export type Load = { url: string; headers: Record<string, string> }

/** What wrk says of 32 connections, or as many as given, on `url` for `seconds`. @throws Error where an answer is not 2xx */
const wrk = async ({ url, headers }: Load, seconds: number, connections = 32): Promise<string> => {
  const given = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  const command = ['wrk', '-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '30s', ...given, url]
  const report = await textOf(command)
  if (report.includes('Non-2xx')) throw new Error(`wrk on ${new URL(url).pathname}: ${report}`)
  return report
}

export const requestsPerSecond = async (load: Load, seconds: number): Promise<number> =>
  Number(/Requests\/sec:\s+([\d.]+)/.exec(await wrk(load, seconds))?.[1])

const inMebibytes = { KB: 1 / 1024, MB: 1, GB: 1024 }
/** Of large bodies, few at once; those that were under way at the end count as far as they came. */
export const mebibytesPerSecond = async (load: Load, seconds: number): Promise<number> => {
  const [, amount, unit] = /Transfer\/sec:\s+([\d.]+)([KMG]B)/.exec(await wrk(load, seconds, 8)) ?? []
  return Number(amount) * inMebibytes[unit as keyof typeof inMebibytes]
}
