// What a person would call the thing they sign in with, from its User-Agent (RFC 9110 §10.1.5).

const first = (text: string, table: readonly (readonly [RegExp, string])[]) => table.find(([p]) => p.test(text))?.[1]

const browsers = [
  [/\bEdg(e|A|iOS)?\//, 'Edge'],
  [/\b(OPR|Opera)\//, 'Opera'],
  [/\b(Firefox|FxiOS)\//, 'Firefox'],
  [/\b(Chrome|HeadlessChrome|CriOS|Chromium)\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
  [/^curl\//, 'curl'],
] as const
const systems = [
  [/iPhone/, 'iPhone'],
  [/iPad/, 'iPad'],
  [/Android/, 'Android'],
  [/Windows/, 'Windows'],
  [/Mac OS X|Macintosh/, 'macOS'],
  [/CrOS/, 'ChromeOS'],
  [/Linux/, 'Linux'],
] as const

/** E.g. `Firefox on Linux`; `Unknown device` where nothing is known. Made of our own words only. */
export const deviceLabel = (userAgent: string | null): string => {
  const text = (userAgent ?? '').slice(0, 512)
  const known = [first(text, browsers), first(text, systems)].filter((part) => part !== undefined)
  return known.join(' on ') || 'Unknown device'
}
