// The shapes of settings: what text each may be, and what it reads as.
import { z } from 'zod'
import { parseMasterKeys } from '../keyring/master-keys'
import { networkText } from '../lib/networks'
import { parseS3Place } from '../lib/s3-place'

/** The hosts of this machine alone. */
export const isLoopback = (hostname: string): boolean =>
  hostname === 'localhost' || hostname === '::1' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname)

export const list = (item: z.ZodType<string, string>) =>
  z
    .string()
    .transform((text) => text.split(',').map((part) => part.trim()))
    .pipe(z.array(item).max(100))

export const whole = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/, 'a whole number')
    .transform(Number)
    .pipe(z.number().min(least, `at least ${least}`).max(most, `at most ${most}`))

export const parsed = (text: string): URL | null => (URL.canParse(text) ? new URL(text) : null)
export const url = (protocols: readonly string[], says: string) =>
  z.string().refine((text) => protocols.includes(parsed(text)?.protocol ?? ''), says)

export const origin = url(['http:', 'https:'], 'an origin, https://host').refine((text) => {
  const it = parsed(text)
  return it !== null && (text === it.origin || text === `${it.origin}/`)
}, 'an origin alone: no path, in lower case')

// The router looks for the path from character 11 of the URL: a shorter host would be read as a part of it.
export const host = z
  .string()
  .toLowerCase()
  .regex(/^(\[[0-9a-f:]+\]|[a-z0-9.-]{4,253})(:\d{1,5})?$/, 'host or host:port, 4 letters or more')

/** Whether what goes to `url` crosses a network in the clear. */
export const isPlainHttpElsewhere = (url: string): boolean =>
  url.startsWith('http:') && !isLoopback(parsed(url)?.hostname ?? '')

/** The same of a backup that goes to, or comes from, a place like `s3://bucket/prefix?…`; never of a folder. */
export const isBackupInTheClear = (place: string): boolean =>
  place.startsWith('s3:') && isPlainHttpElsewhere(parseS3Place(place).origin)

export const filePath = z
  .string()
  .regex(/^file:[^?#]+$/, 'file:<path>')
  .transform((text) => text.slice('file:'.length))

/** A folder, or a bucket; what is wrong with it is said in a sentence. */
export const blobs = z.string().transform((text, context) => {
  try {
    if (text.startsWith('s3:')) return { kind: 's3' as const, place: parseS3Place(text) }
  } catch (error) {
    context.addIssue((error as Error).message)
    return z.NEVER
  }
  const path = filePath.safeParse(text)
  if (path.success) return { kind: 'disk' as const, path: path.data }
  context.addIssue('file:<folder> or s3://bucket/prefix?endpoint=…&region=…')
  return z.NEVER
})
export const s3Key = z.string().regex(/^[\x21-\x7e]{1,256}$/, 'visible ASCII, at most 256')

export const redirect = z.string().refine((text) => {
  if (text.startsWith('/')) return !/^\/[/\\]/.test(text) && parsed(`http://h${text}`) !== null
  return ['http:', 'https:'].includes(parsed(text)?.protocol ?? '')
}, 'a path that starts with one /, or an http(s) URL')

export const masterKeys = z.string().transform((text, context) => {
  try {
    return parseMasterKeys(text)
  } catch {
    context.addIssue('kid:base64 of 32 bytes, each kid once')
    return z.NEVER
  }
})

export const signUp = z
  .string()
  .regex(/^(open|invite|closed|domains:[a-z0-9.-]+(,[a-z0-9.-]+)*)$/, 'open, domains:a.com,b.com, invite or closed')
  .transform((text) =>
    text.startsWith('domains:')
      ? { kind: 'domains' as const, domains: text.slice('domains:'.length).split(',') }
      : { kind: text as 'open' | 'invite' | 'closed' },
  )

export const backupPlace = z.string().transform((text, context) => {
  try {
    if (!/^file:[^?#]+$/.test(text)) parseS3Place(text.startsWith('s3://') ? text : '')
    return text
  } catch (error) {
    context.addIssue(`file:<folder> or ${(error as Error).message}`)
    return z.NEVER
  }
})

export const x25519Key = z.string().regex(/^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/, 'base64 of 32 bytes')

export const cidr = networkText('addresses or networks (CIDR)')
