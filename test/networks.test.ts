// The client's address: nobody says another's, and a trusted proxy is believed.
import { expect, test } from 'bun:test'
import { clientBehind, createNetworks } from '../src/lib/networks'

const inside = (network: string, address: string) => createNetworks([network])(address)
const behind = (peer: string, forwarded?: string) =>
  clientBehind(
    createNetworks(['10.0.0.0/8', '127.0.0.1', 'fd00::/8']),
    peer,
    new Headers(forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }),
  )

test.each([
  ['10.0.0.0/8', '10.255.255.255', '11.0.0.0'],
  ['192.168.4.0/22', '192.168.7.9', '192.168.8.0'],
  ['203.0.113.7', '203.0.113.7', '203.0.113.8'],
  ['10.0.0.0/8', '::ffff:10.1.2.3', '::ffff:9.1.2.3'],
  ['2001:db8::/32', '2001:db8:ffff::1', '2001:db9::1'],
  ['fd00::/8', 'fdab::1', 'fe80::1'],
  ['::1', '0:0:0:0:0:0:0:1', '::2'],
  ['0.0.0.0/0', '203.0.113.7', '2001:db8::1'],
])('%s holds %s and not %s', (network, within, without) => {
  expect(inside(network, within)).toBe(true)
  expect(inside(network, without)).toBe(false)
})

test.each(['', 'unknown', '10.0.0', '10.0.0.256', '10.0.0.1:80', '0x0a000001', '[::1]', '::g', '1:2:3'])(
  'what is no address, %p, lies in no network',
  (text) => {
    expect(inside('0.0.0.0/0', text) || inside('::/0', text)).toBe(false)
  },
)

test('a stranger cannot say another address', () => {
  expect(behind('203.0.113.7', '198.51.100.1')).toBe('203.0.113.7')
})

test('a proxy may add the port it was asked from', () => {
  expect(behind('10.0.0.1', '198.51.100.1:8080')).toBe('198.51.100.1')
  expect(behind('10.0.0.1', '[2001:db8::1]:8080')).toBe('2001:db8::1')
  expect(behind('10.0.0.1', 'unknown:8080')).toBe('10.0.0.1')
})

test('behind trusted proxies it is the last address that is none of them', () => {
  expect(behind('10.0.0.1', '198.51.100.1')).toBe('198.51.100.1')
  expect(behind('10.0.0.1', '198.51.100.9, 198.51.100.1, 10.0.0.2')).toBe('198.51.100.1')
  expect(behind('fd00::1', '2001:db8::1')).toBe('2001:db8::1')
})

test('a chain that is broken, empty or all ours falls back to the peer', () => {
  for (const forwarded of [undefined, '', 'x, 10.0.0.2', '10.0.0.3, 10.0.0.2'])
    expect(behind('10.0.0.1', forwarded)).toBe('10.0.0.1')
})
