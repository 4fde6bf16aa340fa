// What names, types, dates and lists turn into: the pure parts of media.
import { describe, expect, test } from 'bun:test'
import { contentDisposition } from '../src/lib/disposition'
import { parseHttpDate } from '../src/lib/http-date'
import { PageQuery, paginate } from '../src/lib/page'
import { sniff, sniffBytes, unknownType } from '../src/lib/sniff'
import { mediaHeads } from './data/media-heads'

describe('the type of a file', () => {
  test.each(mediaHeads)('%s is %s', (_, type, hex) => {
    expect(sniff(Buffer.from(hex, 'hex'))).toBe(type)
  })

  const [, , png] = mediaHeads[0]!
  const [, , gif] = mediaHeads[2]!
  const script = Buffer.from('<script>alert(1)</script>').toString('hex')
  test.each([
    ['nothing', ''],
    ['a page', Buffer.from('<!doctype html><title>x</title>').toString('hex')],
    [
      'a drawing with a script',
      Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>').toString('hex'),
    ],
    ['a picture behind a blank', `20${png}`],
    ['a picture behind a script', script + png],
    ['a picture with a script in it', png + script],
    ['a signature and then a comment', Buffer.from('GIF89a/*').toString('hex')],
    ['a picture that is also a document', `${gif}${Buffer.from('%PDF-1.7').toString('hex')}`],
    ['a picture that is also an archive', `${gif}504b0304`],
    ['a picture that is also a page', `${gif}${Buffer.from('<HTML >').toString('hex')}`],
    ['half a signature', png.slice(0, 16)],
    ['a box that says it is endless', `ffffffff${Buffer.from('ftypisom').toString('hex')}${'00'.repeat(32)}`],
  ])('%s is never shown', (_, hex) => {
    expect(sniff(Buffer.from(hex, 'hex'))).toBe(unknownType)
  })

  test('every beginning cut short anywhere is read without fault', () => {
    for (const [, , hex] of mediaHeads)
      for (let length = 0; length <= Math.min(hex.length / 2, 64); length++)
        expect(sniff(Buffer.from(hex, 'hex').subarray(0, length))).toBeString()
    expect(sniff(new Uint8Array(sniffBytes).fill(0xff))).toBe(unknownType)
  })
})

describe('the name a file is saved under', () => {
  test.each([
    ['plan.pdf', 'attachment; filename="plan.pdf"'],
    ['a "b" c.txt', `attachment; filename="a _b_ c.txt"; filename*=UTF-8''a%20%22b%22%20c.txt`],
    ["it's (1)*.txt", `attachment; filename="it's (1)*.txt"`],
    ['é.txt', `attachment; filename="_.txt"; filename*=UTF-8''%C3%A9.txt`],
    ["😀'(1)*.txt", `attachment; filename="_'(1)*.txt"; filename*=UTF-8''%F0%9F%98%80%27%281%29%2A.txt`],
    ['100%41.txt', `attachment; filename="100_41.txt"; filename*=UTF-8''100%2541.txt`],
    ['a\r\nSet-Cookie: x=1', 'attachment; filename="a__Set-Cookie: x=1"'],
    ['gpj.\u202eexe', 'attachment; filename="gpj._exe"'],
    ['../../etc/passwd', 'attachment; filename=".._.._etc_passwd"'],
    ['c:\\x', 'attachment; filename="c:_x"'],
    ['\ud800x', `attachment; filename="_x"; filename*=UTF-8''%EF%BF%BDx`],
    ['', 'attachment; filename="file"'],
  ])('%j', (name, expected) => {
    expect(contentDisposition('attachment', name)).toBe(expected)
  })

  test('is always one field of plain characters, whatever it is made of', () => {
    const strange = Array.from({ length: 0x2100 }, (_, i) => String.fromCharCode(i)).join('')
    expect(contentDisposition('inline', strange)).toMatch(
      /^inline; filename="[ !#-$&-[\]-~]*"; filename\*=UTF-8''[!#-$&+\-.^-z|~\w%]*$/,
    )
  })
})

describe('a date in a field', () => {
  const now = Date.UTC(2030, 0, 1)
  const at = Date.UTC(1994, 10, 6, 8, 49, 37)
  test.each([
    ['Sun, 06 Nov 1994 08:49:37 GMT', at],
    ['Sunday, 06-Nov-94 08:49:37 GMT', at],
    ['Sun Nov  6 08:49:37 1994', at],
    ['Tuesday, 01-Jan-80 00:00:00 GMT', Date.UTC(2080, 0, 1)],
    ['Tuesday, 01-Jan-81 00:00:00 GMT', Date.UTC(1981, 0, 1)],
    ['Sun, 31 Feb 1994 08:49:37 GMT', null],
    ['Sun, 06 Nov 1994 25:49:37 GMT', null],
    ['Sun, 06 Nov 1994 08:49:37 UTC', null],
    ['Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT', null],
    ['1994-11-06T08:49:37Z', null],
    ['784111777', null],
    ['', null],
  ])('%s', (text, expected) => {
    expect(parseHttpDate(text, now)).toBe(expected)
  })
})

describe('a page of a list', () => {
  const rows = Array.from({ length: 7 }, (_, i) => ({ at: i < 4 ? 200 : 100, id: `x${9 - i}` }))
  const read = async (limit: number, after: { at: number; id: string } | null) =>
    rows.filter((r) => !after || r.at < after.at || (r.at === after.at && r.id < after.id)).slice(0, limit)

  test('the pages together are the list, each row once, also where instants are equal', async () => {
    const seen: string[] = []
    let cursor: string | null = null
    do {
      const query = PageQuery.parse({ limit: '3', ...(cursor && { cursor }) })
      const page = await paginate(query, read, (row) => row)
      seen.push(...page.data.map((row) => row.id))
      cursor = page.next_cursor
    } while (cursor !== null)
    expect(seen).toEqual(rows.map((row) => row.id))
  })

  test.each([
    ['limit', '0'],
    ['limit', '101'],
    ['limit', '1.5'],
    ['limit', 'x'],
    ['cursor', ''],
    ['cursor', 'AAAA'],
    ['cursor', 'MjAw'],
    ['cursor', 'MjAwLng5 '],
    ['other', '1'],
  ])('refuses %s=%s', (name, value) => {
    expect(PageQuery.safeParse({ [name]: value }).success).toBeFalse()
  })
})
