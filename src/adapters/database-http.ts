// The database as a primary over HTTP and nothing kept here: each read and each batch is one round trip.
import { migrate } from '../../db/migrate'
import type { Database, Statement } from '../ports'
import { createDatabase } from './database'
import { createPrimary, type PrimaryOptions } from './primary'

/**
 * Opens a primary, migrating it if need be. Bounds and failures are those of `createPrimary`.
 * @throws Error, as a sentence for the operator, when a migration was changed.
 */
export const openHttpDatabase = async (options: PrimaryOptions): Promise<Database> => {
  const { read, batch: send } = createPrimary(options)
  const batch = async (statements: readonly Statement[], whenMade = () => {}) => {
    const { outcomes } = await send(statements)
    whenMade()
    return outcomes
  }
  await migrate((statements) => batch(statements))
  return createDatabase({ read, batch, close: async () => {} }, { kind: 'primary' })
}
