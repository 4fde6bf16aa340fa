// Archives as every tar reads them: names, sizes, instants, also of what is larger than the format once allowed.
import { expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tarEnd, tarHeader, tarPadding } from '../src/lib/tar'
import { newFolder } from './template'

const list = (path: string) => Bun.spawnSync(['tar', '--full-time', '--utc', '-tvf', path]).stdout.toString()

test('the system’s own tar lists and unpacks what was written', () => {
  const path = join(newFolder(), 'a.tar')
  const at = Date.UTC(2026, 10, 21, 12, 0, 0)
  const pieces = ['', 'x', 'y'.repeat(512), 'z'.repeat(513)].flatMap((text, i) => [
    ...[tarHeader(`files/${i}`, text.length, at), new TextEncoder().encode(text), tarPadding(text.length)],
  ])
  writeFileSync(path, Buffer.concat([...pieces, tarEnd()]))
  const lines = list(path).trim().split('\n')
  expect(lines.map((line) => line.split(/\s+/).slice(2))).toEqual(
    [0, 1, 512, 513].map((size, i) => [String(size), '2026-11-21', '12:00:00', `files/${i}`]),
  )
  const shown = Bun.spawnSync(['tar', '-xOf', path, 'files/3']).stdout.toString()
  expect(shown).toBe('z'.repeat(513))
})

test('a size beyond 8 GiB is read as it is', () => {
  const path = join(newFolder(), 'b.tar')
  for (const size of [8 ** 11 - 1, 8 ** 11, 5 * 1024 ** 4 + 7]) {
    writeFileSync(path, tarHeader('large', size, 0))
    expect(list(path)).toContain(` ${size} `)
  }
})

test('a name that an archive cannot hold is refused', () => {
  for (const name of ['', 'a b', 'é', 'a\nb', 'n'.repeat(101)]) expect(() => tarHeader(name, 0, 0)).toThrow()
  expect(tarHeader('n'.repeat(100), 0, 0)).toHaveLength(512)
})
