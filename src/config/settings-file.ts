// Settings in a file: the same names as in the environment, which goes before it.
import { ConfigError, type Env, type Problem } from '../config'
import { filePath } from './shapes'

const name = 'LATCHKEY_SETTINGS'
const isQuoted = (value: string) => /^(["']).*\1$/.test(value)

/** One `NAME=value` a line, as it stands; blank lines and those that begin with # say nothing. */
const parse = (text: string): { read: Env; problems: Problem[] } => {
  const [read, problems]: [Env, Problem[]] = [{}, []]
  const refuse = (line: number, says: string) => problems.push({ name, says: `has a line ${line} that ${says}` })
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*(#|$)/.test(line)) continue
    const [, key, value] = /^(LATCHKEY_\w+)=(.*)$/.exec(line) ?? []
    if (key === undefined || value === undefined) refuse(i + 1, 'is not LATCHKEY_NAME=value')
    else if (key === name) refuse(i + 1, 'names a further file')
    else if (Object.hasOwn(read, key)) refuse(i + 1, `says ${key} once more`)
    else if (isQuoted(value)) refuse(i + 1, 'has its value in quotes: it is taken as it stands')
    else read[key] = value
  }
  return { read, problems }
}

/**
 * `env` with what the file says that it names, if it names one. `readText` gives a file's text.
 * @throws ConfigError for a file that cannot be read, or lines that are no settings; repeats no value.
 */
export const withSettingsFile = (env: Env, readText: (path: string) => string): Env => {
  const path = filePath.safeParse(env[name])
  // Where it has another shape that is said with all else that is wrong.
  if (!path.success) return env
  let text: string
  try {
    text = readText(path.data)
  } catch {
    throw new ConfigError([{ name, says: 'names a file that cannot be read' }])
  }
  const { read, problems } = parse(text)
  if (problems.length > 0) throw new ConfigError(problems)
  const given = Object.entries(env).filter(([, value]) => value !== '')
  return { ...read, ...Object.fromEntries(given) }
}
