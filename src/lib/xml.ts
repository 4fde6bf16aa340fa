// The little of XML that S3 answers with: elements without attributes that matter, texts, the five entities.

const entities: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }
const decode = (text: string): string =>
  text.replace(/&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(lt|gt|amp|quot|apos));/gi, (_, hex, decimal, name) =>
    name ? entities[name.toLowerCase()]! : String.fromCodePoint(Number.parseInt(hex ?? decimal, hex ? 16 : 10)),
  )

/** What stands in each element of that name, as it is written. Such an element holds no other of its name. */
export const elementsOf = (xml: string, name: string): string[] =>
  [...xml.matchAll(new RegExp(`<${name}(?:\\s[^>]*)?>([\\s\\S]*?)</${name}>`, 'g'))].map(([, inner = '']) => inner)

/** The text of the first element of that name; empty where there is none. */
export const textOf = (xml: string, name: string): string => decode(elementsOf(xml, name)[0] ?? '')

/** The name of the outermost element; empty where this is no XML. */
export const rootOf = (xml: string): string => /^\s*(?:<\?xml[^>]*\?>\s*)?<([A-Za-z]+)[\s>/]/.exec(xml)?.[1] ?? ''
