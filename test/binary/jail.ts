// A place like the image: an empty root that cannot be written, the C library, a data folder and /tmp; nobody in particular.
import { chmodSync, chownSync, cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

const binary = join(import.meta.dir, '../../dist/latchkey')
const nobody = 65_532

const run = (...command: string[]) => {
  const done = Bun.spawnSync(command, { stdout: 'pipe', stderr: 'pipe' })
  if (done.exitCode !== 0) throw new Error(`${command.join(' ')}: ${done.stderr}`)
  return done.stdout.toString()
}

/** Whether this machine lets us make one: it takes root and a mount namespace. */
export const canJail = (): boolean =>
  process.getuid?.() === 0 && Bun.spawnSync(['unshare', '--mount', 'true']).exitCode === 0

// What distroless/cc has of them, as far as they are needed: the C library and libgcc_s.
const libraries = () => {
  const addons = run('sh', '-c', `ls ${join(import.meta.dir, '../../node_modules/@libsql/linux-*-gnu/index.node')}`)
  const listed = [binary, ...addons.trim().split('\n')].flatMap((file) => [
    ...run('ldd', file).matchAll(/(\/\S+\.so[.\d]*)/g),
  ])
  return [...new Set(listed.map(([, path]) => path!))]
}

/** `command(...)` gives what to spawn so that the binary runs inside with these arguments and variables, and no others. */
export const newJail = () => {
  const root = mkdtempSync(join(tmpdir(), 'latchkey-jail-'))
  for (const folder of ['data', 'tmp', 'proc', 'dev', 'bin']) mkdirSync(join(root, folder))
  for (const path of libraries()) {
    mkdirSync(join(root, dirname(path)), { recursive: true })
    cpSync(realpathSync(path), join(root, path))
  }
  cpSync(binary, join(root, 'bin/latchkey'))
  chmodSync(root, 0o755)
  chownSync(join(root, 'data'), nobody, nobody)
  chmodSync(join(root, 'tmp'), 0o1777)

  const enter = `
    mount --bind ${root} ${root} && mount -o remount,bind,ro ${root} &&
    mount --bind ${root}/data ${root}/data && mount -o remount,bind,rw ${root}/data &&
    mount --bind ${root}/tmp ${root}/tmp && mount -o remount,bind,rw ${root}/tmp &&
    mount --rbind /proc ${root}/proc && mount --rbind /dev ${root}/dev &&
    exec setpriv --no-new-privs chroot --userspec=${nobody}:${nobody} --groups= ${root} "$@"`

  return {
    root,
    command: (variables: Record<string, string>, ...args: string[]): string[] => [
      ...['unshare', '--mount', 'env', '-i', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin'],
      ...Object.entries(variables).map(([name, value]) => `${name}=${value}`),
      ...['sh', '-c', enter, 'jail', '/bin/latchkey', ...args],
    ],
    destroy: () => rmSync(root, { recursive: true, force: true }),
  }
}
