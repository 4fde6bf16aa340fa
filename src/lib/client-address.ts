// Network addresses as text: what is kept of them.

/** An address cut to its network, `203.0.113.0/24` or `2001:db8:1::/48`: enough to recognise, too little to point at. */
export const truncateAddress = (address: string): string => {
  const plain = unmapped(address)
  if (plain.includes('.')) return `${plain.split('.').slice(0, 3).join('.')}.0/24`
  return `${expand(plain).slice(0, 3).join(':')}::/48`
}

/** What one subscriber has at least, and whom limits on an address count: an IPv4 address, or the /64 of an IPv6 one. */
export const subscriberOf = (address: string): string => {
  const plain = unmapped(address)
  return plain.includes('.') ? plain : `${expand(plain).slice(0, 4).join(':')}::/64`
}

const unmapped = (address: string) => /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address

const expand = (address: string): string[] => {
  const [head = '', tail] = address.toLowerCase().split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0')
  return [...left, ...zeros, ...right].map((group) => Number.parseInt(group, 16).toString(16))
}
