// The house rules, read off the source: who may import whom, what stays at the edge, how large a file may be.
import { describe, expect, test } from 'bun:test'
import { dirname, join, normalize } from 'node:path'

type Source = { path: string; text: string; code: string; imports: string[] }

const withoutComments = (text: string) => text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1')

/** Each import as a path from the root without its ending, or as the name of a package. */
const importsOf = (path: string, text: string) =>
  [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, target = '']) =>
    target.startsWith('.') ? normalize(join(dirname(path), target)).replace(/\.(ts|tsx)$/, '') : target,
  )

const read = async (pattern: string): Promise<Source[]> => {
  const sources: Source[] = []
  for await (const path of new Bun.Glob(pattern).scan('.')) {
    if (path.includes('.gen.')) continue
    const text = await Bun.file(path).text()
    sources.push({ path, text, code: withoutComments(text), imports: importsOf(path, text) })
  }
  return sources.sort((a, b) => a.path.localeCompare(b.path))
}

const sources = [...(await read('src/**/*.{ts,tsx}')), ...(await read('db/**/*.ts'))]
const among =
  (...patterns: RegExp[]) =>
  (path: string) =>
    patterns.some((p) => p.test(path))
const offending = (where: (path: string) => boolean, isWrong: (s: Source) => unknown) =>
  sources.filter((s) => where(s.path) && isWrong(s)).map((s) => s.path)

const isConsole = among(/^src\/console\/(?!routes|build)/)
const isEdge = among(/^src\/(runtime|adapters|console)\//, /^src\/cli/, /^src\/doctor\//, /^src\/backup\//)
const isCore = (path: string) => !isEdge(path)
const packages = (s: Source) => s.imports.filter((i) => !/^(src|db|package\.json)/.test(i))
const ours = (s: Source) => s.imports.filter((i) => /^(src|db)/.test(i))

describe('imports', () => {
  test('of lib are pure: of ours only lib itself and the closed list of failures', () => {
    expect(offending(among(/^src\/lib\//), (s) => ours(s).some((i) => !/^src\/(lib\/|errors$)/.test(i)))).toEqual([])
  })

  test('of adapters are ports, lib and what they implement against, never a feature or http', () => {
    const allowed = /^(src\/(lib|adapters)\/|src\/(ports|errors|config|permissions|keyring|keyring\/master-keys)$|db\/)/
    expect(offending(among(/^src\/adapters\//), (s) => ours(s).some((i) => !allowed.test(i)))).toEqual([])
  })

  test('of http are never a feature, an adapter or the database', () => {
    expect(
      offending(among(/^src\/http\//), (s) => ours(s).some((i) => /^(src\/(features|adapters|runtime)|db)\b/.test(i))),
    ).toEqual([])
  })

  test('of a feature never go back, nor into another feature but its types, its service type and its wire shapes', () => {
    const wrong: string[] = []
    for (const { path, text } of sources.filter((s) => s.path.startsWith('src/features/'))) {
      const [, , feature, file = ''] = path.split('/')
      for (const [line, target = ''] of text.matchAll(/import[^']*from '([^']+)'/g)) {
        const to = target.startsWith('.') ? normalize(join(dirname(path), target)) : target
        const [, , other, otherFile = ''] = to.split('/')
        if (!to.startsWith('src/features/')) {
          const isForbidden =
            /^src\/(adapters|runtime|app)/.test(to) || (/^src\/http/.test(to) && !file.includes('routes'))
          if (isForbidden) wrong.push(`${path} → ${to}`)
        } else if (other !== feature) {
          const isTypeOnly = /^import type|^import \{ type [^,}]+ \}/.test(line)
          if (!isTypeOnly && otherFile !== 'model') wrong.push(`${path} → ${to}`)
        } else if (file === 'store.ts' && /routes|service/.test(otherFile)) wrong.push(`${path} → ${to}`)
        else if (/service/.test(file) && /routes/.test(otherFile)) wrong.push(`${path} → ${to}`)
        else if (/routes/.test(file) && /store/.test(otherFile)) wrong.push(`${path} → ${to}`)
      }
    }
    expect(wrong).toEqual([])
  })

  test('of elysia stand only where HTTP is: routes, http, the composition root, the runtime', () => {
    const allowed = among(/routes(-[\w-]+)?\.ts$/, /^src\/(http|runtime)\//, /^src\/app\.ts$/)
    expect(
      offending(
        (p) => !allowed(p),
        (s) => packages(s).includes('elysia'),
      ),
    ).toEqual([])
  })

  test('of SQL stand only in stores, beside the door to a change, and where the database itself is the subject', () => {
    const allowed = among(
      /store(-[\w-]+)?\.ts$/,
      /^src\/adapters\//,
      /^db\//,
      /^src\/(write|revocation|feed|idempotency|jobs|keyring|ports|lib\/page)\b/,
    )
    expect(
      offending(
        (p) => !allowed(p) && isCore(p),
        (s) => packages(s).some((i) => i.startsWith('drizzle-orm')),
      ),
    ).toEqual([])
  })
})

describe('the core', () => {
  test('knows no runtime: process, Bun, Deno and node modules that not all three have stay at the edge', () => {
    const shared = ['node:crypto', 'node:buffer', 'node:zlib']
    expect(
      offending(
        (p) => isCore(p) && !p.startsWith('db/seed'),
        (s) => /\b(process\.|Bun\.|Deno\.|cloudflare:)/.test(s.code),
      ),
    ).toEqual([])
    expect(offending(isCore, (s) => packages(s).some((i) => i.startsWith('node:') && !shared.includes(i)))).toEqual([])
  })

  test('takes time, fetch and the log from its ports', () => {
    const reaches = /\bDate\.now\(|\bnew Date\(\)|(?<![\w.])fetch\(|\bconsole\./
    expect(
      offending(
        (p) => isCore(p),
        (s) => reaches.test(s.code),
      ),
    ).toEqual([])
  })
})

describe('a file', () => {
  test('says on its first line what it is for', () => {
    expect(sources.filter((s) => !/^(\/\/|#!.*\n\/\/|\/\*\*) ?\S/.test(s.text)).map((s) => s.path)).toEqual([])
  })

  test('has at most 300 lines, and half of them at most 90', async () => {
    const all = [...sources, ...(await read('test/**/*.ts'))]
    const lines = all.map((s) => ({ path: s.path, lines: s.text.split('\n').length - 1 }))
    expect(lines.filter((f) => f.lines > 300)).toEqual([])
    const sizes = lines
      .filter((f) => !f.path.startsWith('test/'))
      .map((f) => f.lines)
      .sort((a, b) => a - b)
    expect(sizes[Math.floor(sizes.length / 2)]).toBeLessThanOrEqual(90)
  })

  test('exports by name, is no barrel, and leaves nothing to do', () => {
    expect(
      offending(
        (p) => !isConsole(p),
        (s) => /^export default/m.test(s.code),
      ),
    ).toEqual([])
    const barrels = ['db/migrations/index.ts', 'db/schema.ts']
    expect(
      offending(
        (p) => !barrels.includes(p),
        (s) => /(^|\/)index\.ts$/.test(s.path) || /^export \*/m.test(s.code),
      ),
    ).toEqual([])
    expect(
      offending(
        () => true,
        (s) => /\b(TODO|FIXME|XXX|HACK)\b|@ts-ignore|\bas any\b/.test(s.text),
      ),
    ).toEqual([])
  })
})
