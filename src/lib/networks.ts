// Networks (CIDR, RFC 4632 and 4291) and the client's address behind proxies that are trusted.

import { z } from 'zod'

/** The text of an address or a network; of anything else it says `error`. */
export const networkText = (error: string) => z.union([z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()], { error })

/** An address as 128 bits, IPv4 as ::ffff:a.b.c.d; null for anything else. */
const parseAddress = (text: string): bigint | null => {
  if (text.length > 45 || !URL.canParse(text.includes(':') ? `http://[${text}]` : `http://${text}`)) return null
  const v4 = /^(?:::ffff:)?(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/i.exec(text)
  if (v4) return v4.slice(1).reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0xffffn)
  if (!text.includes(':')) return null
  const [head = '', tail] = new URL(`http://[${text}]`).hostname.slice(1, -1).split('::')
  const groups = (part: string | undefined) => (part ? part.split(':') : [])
  const [left, right] = [groups(head), groups(tail)]
  const all = [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right]
  return all.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n)
}

/** Whether an address lies in one of `networks` (`10.0.0.0/8`, `::1`). An unknown address lies in none. */
export const createNetworks = (networks: readonly string[]): ((address: string) => boolean) => {
  const ranges = networks.map((network) => {
    const [text = '', bits] = network.split('/')
    const base = parseAddress(text)
    if (base === null) throw new Error('a network is address/bits')
    const free = BigInt((text.includes(':') ? 128 : 32) - Number(bits ?? (text.includes(':') ? 128 : 32)))
    return { free, prefix: base >> free }
  })
  return (address) => {
    const bits = ranges.length > 0 ? parseAddress(address) : null
    return bits !== null && ranges.some(({ free, prefix }) => bits >> free === prefix)
  }
}

/** Some proxies add the port: `203.0.113.9:8080`, `[2001:db8::1]:8080`. */
const withoutPort = (hop: string): string =>
  /^(\d+\.\d+\.\d+\.\d+):\d+$|^\[([^\]]+)\](?::\d+)?$/.exec(hop)?.slice(1).find(Boolean) ?? hop

/**
 * Who really asks: `peer` itself, or where it is a trusted proxy the last address of X-Forwarded-For that is none.
 * A peer that is not trusted may say in that header what it likes.
 */
export const clientBehind = (isTrusted: (address: string) => boolean, peer: string, headers: Headers): string => {
  if (!isTrusted(peer)) return peer
  const hops = (headers.get('x-forwarded-for') ?? '').split(',').map((hop) => withoutPort(hop.trim()))
  for (const hop of hops.reverse()) {
    if (parseAddress(hop) === null) return peer
    if (!isTrusted(hop)) return hop
  }
  return peer
}
