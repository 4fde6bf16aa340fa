// Commands of backups in this process: what each says.
import * as commands from '../src/backup/commands'
import { type Env, readConfig } from '../src/config'

/** What a command says, the sentence it ends with included. */
export const run = async (folder: string, [name, ...args]: string[], env: Env = {}): Promise<string> => {
  const said: string[] = []
  const say = (text: string) => void said.push(text)
  const audit = async () => ({ chains: 1, broken: [] })
  try {
    const settings = readConfig({ LATCHKEY_DATA_DIR: folder, ...env }, { source: 'source' })
    if (name === 'backup') await commands.backup(args, settings, 'test', say)
    else if (name === 'backups') await commands.backups(settings, say)
    else if (name === 'restore') await commands.restore(args, settings, say)
    else await commands.drill(args, settings, audit, say)
  } catch (error) {
    said.push((error as Error).message)
  }
  return said.join('\n')
}
/** What the error says that it ends with. */
export const failed = (work: Promise<unknown>) =>
  work.then(
    () => '',
    (error: Error) => error.message,
  )
