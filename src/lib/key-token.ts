// API key tokens: `ml_live_` + 40 random base-62 characters (238 bits) + 6 that are the CRC-32 of all before them.
import { crc32 } from 'node:zlib'
import { base62, randomBase62 } from './id'

export const environments = ['live', 'test', 'dev'] as const
export type Environment = (typeof environments)[number]

const randomLength = 40
const checksumLength = 6
const shape = /^_(live|test|dev)_[0-9A-Za-z]{46}$/

const checksum = (text: string): string => {
  let out = ''
  for (let rest = crc32(text); out.length < checksumLength; rest = Math.floor(rest / 62)) out = base62[rest % 62] + out
  return out
}

/** A new token. `prefix` is lower-case letters and digits, `ml` unless the operator chose another. */
export const newKeyToken = (prefix: string, environment: Environment): string => {
  const body = `${prefix}_${environment}_${randomBase62(randomLength)}`
  return body + checksum(body)
}

/** The environment a well-formed token names; null for anything mistyped or foreign, so that no look-up is spent on it. */
export const parseKeyToken = (prefix: string, text: string): Environment | null => {
  if (!text.startsWith(prefix)) return null
  const match = shape.exec(text.slice(prefix.length))
  if (!match || checksum(text.slice(0, -checksumLength)) !== text.slice(-checksumLength)) return null
  return match[1] as Environment
}

/** What a list shows of a token so that its owner recognises it: prefix, environment and first four characters. */
export const hintOf = (token: string): string => token.slice(0, 4 - randomLength - checksumLength)
