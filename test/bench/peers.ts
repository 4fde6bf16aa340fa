// What we are measured against and with, installed by the benchmark itself: packages beside our own, tools from Debian.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { spawn } from './processes'

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
  const add = spawn([process.execPath, 'add', '--exact', ...packages], { cwd: peers, isQuiet: true })
  if ((await add.exited) !== 0) throw new Error(`${packages.join(', ')} could not be installed`)
}

// biome-ignore lint/suspicious/noExplicitAny: it is installed for the benchmark alone, beside our own packages
export const load = (name: string): Promise<any> => import(Bun.resolveSync(name, peers))

/** Installs Debian's packages of these names where they are missing and we may. @throws Error where one cannot be had */
export const installTools = async (...tools: readonly string[]): Promise<void> => {
  const missing = tools.filter((tool) => !Bun.which(tool))
  if (missing.length === 0) return
  // A package that brings a service shall not start it: run level 1 is the one in which none is.
  const env = { ...process.env, RUNLEVEL: '1', DEBIAN_FRONTEND: 'noninteractive' }
  for (const command of [['update'], ['install', '-y', '--no-install-recommends', ...missing]])
    if (Bun.which('apt-get')) await spawn(['apt-get', ...command], { env, isQuiet: true }).exited
  const still = tools.filter((tool) => !Bun.which(tool))
  if (still.length > 0) throw new Error(`It takes ${still.join(' and ')} (Debian: apt-get install ${still.join(' ')})`)
}
