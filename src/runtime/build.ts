// Builds the single binary: the program, its migrations, the console and libSQL's native addon in one file.
// `bun run build [bun-linux-x64|bun-linux-arm64|…-musl …]`: without a target, for this machine.
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BunPlugin } from 'bun'
import { writePages } from '../console/build'

const root = join(import.meta.dir, '../..')
const targets = ['bun-linux-x64', 'bun-linux-x64-musl', 'bun-linux-arm64', 'bun-linux-arm64-musl'] as const
type Target = (typeof targets)[number]

const thisMachine = (): Target => {
  const isMusl = Bun.file('/lib/ld-musl-x86_64.so.1').size > 0 && Bun.file('/lib64/ld-linux-x86-64.so.2').size === 0
  return `bun-linux-${process.arch === 'arm64' ? 'arm64' : 'x64'}${isMusl ? '-musl' : ''}`
}

/** The addon for that target, from the registry by the lockfile's checksum where it is not ours. */
const addonFor = async (target: Target): Promise<string> => {
  const [arch, libc] = [target.includes('arm64') ? 'arm64' : 'x64', target.endsWith('-musl') ? 'musl' : 'gnu']
  const inside = `node_modules/@libsql/linux-${arch}-${libc}/index.node`
  if (await Bun.file(join(root, inside)).exists()) return join(root, inside)
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-addon-'))
  for (const file of ['package.json', 'bun.lock']) cpSync(join(root, file), join(folder, file))
  const options = ['--frozen-lockfile', '--production', '--ignore-scripts', '--os=linux', `--cpu=${arch}`]
  const install = Bun.spawnSync([process.execPath, 'install', ...options], { cwd: folder, stderr: 'inherit' })
  if (install.exitCode !== 0) throw new Error(`The libSQL addon for ${target} could not be installed`)
  return join(folder, inside)
}

/** libsql looks for its addon by name when it runs; a binary has no folder to look in, so the name is settled here. */
const nativeLibsql = (addon: string): BunPlugin => ({
  name: 'libsql-native',
  setup: (build) => {
    build.onLoad({ filter: /node_modules\/libsql\/(index|promise)\.js$/ }, async ({ path }) => {
      const source = await Bun.file(path).text()
      const contents = source
        .replace(
          /function requireNative\(\)\s*\{[\s\S]*?\n\}/,
          `const requireNative = () => require(${JSON.stringify(addon)})`,
        )
        .replace(/^const \{ (load, currentTarget|familySync).*$/gm, '')
      if (contents.includes('@neon-rs/load') || contents.includes('detect-libc'))
        throw new Error('libsql looks for its addon in another way than it did')
      return { loader: 'js', contents }
    })
  },
})

const build = async (target: Target, outfile: string): Promise<void> => {
  const result = await Bun.build({
    // The second is the thread that syncs a replica.
    entrypoints: ['src/cli.ts', 'src/adapters/replica-sync.ts'].map((path) => join(root, path)),
    // Not minified: Elysia decides by the text of a handler what to prepare for it.
    bytecode: true,
    format: 'esm',
    define: { BUILT_AS: '"binary"' },
    plugins: [nativeLibsql(await addonFor(target))],
    // By default a binary runs the `preload` of a bunfig.toml in its working directory, and takes settings from a .env there.
    compile: { target, outfile, autoloadDotenv: false, autoloadBunfig: false },
  })
  if (!result.success) throw new AggregateError(result.logs, `${target} was not built`)
  console.log(`${outfile}  ${(Bun.file(outfile).size / 1e6).toFixed(1)} MB`)
}

const wanted = process.argv.slice(2).map((name) => {
  const target = targets.find((t) => t === name)
  if (!target) throw new Error(`${name} is none of ${targets.join(', ')}`)
  return target
})
await writePages()
rmSync(join(root, 'dist'), { recursive: true, force: true })
mkdirSync(join(root, 'dist'))
if (wanted.length === 0) await build(thisMachine(), join(root, 'dist/latchkey'))
for (const target of wanted) await build(target, join(root, `dist/latchkey-${target.slice('bun-'.length)}`))
