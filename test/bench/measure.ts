// Measuring by wrk.
import { readFileSync } from 'node:fs'
import { textOf } from './processes'

export type Load = { url: string; headers: Record<string, string> }
/** One whose server is that process. */
export type LoadOf = Load & { pid: number }

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

/** Seconds of processor that a process has taken, in all its threads; Linux counts in hundredths. */
const processorSeconds = (pid: number): number => {
  const [user, system] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ').slice(11, 13)
  return (Number(user) + Number(system)) / 100
}

/** For each second of processor that the server takes, whether it takes one of them or all. */
export const requestsPerProcessorSecond = async (load: LoadOf, seconds: number): Promise<number> => {
  const before = processorSeconds(load.pid)
  const [, requests] = /(\d+) requests in/.exec(await wrk(load, seconds)) ?? []
  return Number(requests) / (processorSeconds(load.pid) - before)
}

const inMebibytes = { KB: 1 / 1024, MB: 1, GB: 1024 }
/** Of large bodies, few at once; those that were under way at the end count as far as they came. */
export const mebibytesPerSecond = async (load: Load, seconds: number): Promise<number> => {
  const [, amount, unit] = /Transfer\/sec:\s+([\d.]+)([KMG]B)/.exec(await wrk(load, seconds, 8)) ?? []
  return Number(amount) * inMebibytes[unit as keyof typeof inMebibytes]
}
