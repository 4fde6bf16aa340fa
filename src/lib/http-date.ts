// Dates in HTTP fields (RFC 9110 §5.6.7): one form to write, three to read.

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const imf = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d\d) (\w{3}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT$/
const rfc850 = /^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (\d\d)-(\w{3})-(\d\d) (\d\d):(\d\d):(\d\d) GMT$/
const asctime = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (\w{3}) ([ \d]\d) (\d\d):(\d\d):(\d\d) (\d{4})$/

/** An instant (ms) as `Sun, 06 Nov 1994 08:49:37 GMT`, cut to the second. */
export const httpDate = (ms: number): string => new Date(ms).toUTCString()

/** The instant (ms) a date field names, null if it is none. `now` decides the century of a two-digit year. */
export const parseHttpDate = (text: string, now: number): number | null => {
  const [, ...parts] = imf.exec(text) ?? rfc850.exec(text) ?? reordered(asctime.exec(text)) ?? []
  if (parts.length !== 6) return null
  const [day, month, year, hour, minute, second] = [
    Number(parts[0]),
    months.indexOf(parts[1]!),
    ...parts.slice(2).map(Number),
  ]
  const at = Date.UTC(parts[2]!.length === 2 ? century(year!, now) : year!, month!, day, hour, minute, second)
  return month! >= 0 && hour! < 24 && minute! < 60 && second! <= 60 && new Date(at).getUTCDate() === day ? at : null
}

const reordered = (m: RegExpExecArray | null) => m && ['', m[2]!.trim(), m[1]!, m[6]!, m[3]!, m[4]!, m[5]!]

// What seems more than 50 years ahead is the most recent past year with the same two digits.
const century = (twoDigits: number, now: number): number => {
  const thisYear = new Date(now).getUTCFullYear()
  const year = thisYear - (thisYear % 100) + twoDigits
  return year > thisYear + 50 ? year - 100 : year
}
