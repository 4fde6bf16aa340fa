// What we are measured against, installed by the benchmark itself beside our own packages, in their exact versions.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

export const peers = join(import.meta.dir, '../../node_modules/.peers')

/** Installs packages as `name@version`, once. @throws Error where one cannot be had */
export const installPeers = async (...packages: readonly string[]): Promise<void> => {
  const file = Bun.file(join(peers, 'package.json'))
  const { dependencies = {} } = (await file.exists()) ? await file.json() : {}
  const isThere = (text: string) =>
    dependencies[text.slice(0, text.lastIndexOf('@'))] === text.slice(text.lastIndexOf('@') + 1)
  if (packages.every(isThere)) return
  mkdirSync(peers, { recursive: true })
  if (!(await file.exists())) await Bun.write(file, '{ "private": true }')
  const add = Bun.spawn([process.execPath, 'add', '--exact', ...packages], { cwd: peers, stderr: 'pipe' })
  if ((await add.exited) !== 0)
    throw new Error(`${packages.join(', ')} could not be installed: ${await new Response(add.stderr).text()}`)
}

// biome-ignore lint/suspicious/noExplicitAny: it is installed for the benchmark alone, beside our own packages
export const load = (name: string): Promise<any> => import(Bun.resolveSync(name, peers))
