// Which instance this is, as a backup names it.
import { meta } from '../../../db/schema'
import type { Database } from '../../ports'

export const backupStore = (db: Database) => {
  const facts = db.orm.select().from(meta).prepare()
  return {
    async instanceOf(): Promise<{ instance: string; generation: number }> {
      const found = new Map((await facts.all()).map(({ name, value }) => [name, value]))
      return { instance: found.get('instance_id') ?? '', generation: Number(found.get('generation')) }
    },
  }
}
