// Looking through a chain: in pieces, since no filter has an index, and so far and no further for one page.
import { type After, cursorOf, type Page } from '../../lib/page'
import type { InTurn } from '../../lib/turns'
import type { AuditQuery } from './model'
import type { AuditStore, EventRow } from './store'

/** Rows that one statement may look at for a filter, and those of one page. */
const pieceRows = 1000
const pageRows = 20_000

const noId = ''
const isEarlier = (a: After, b: After) => a.at < b.at || (a.at === b.at && a.id < b.id)

/**
 * Builds `search(chain, query)`: rows that pass, newest first. A page may hold fewer than asked for, or none, and still
 * have a cursor: by it the search goes on where this page left off.
 */
export const createSearch =
  (store: Pick<AuditStore, 'list' | 'startOfNewest'>, inTurn: InTurn) =>
  async (chain: string, { limit, cursor, ...query }: AuditQuery): Promise<Page<EventRow>> => {
    const filters = { action: query.action ?? null, actor: query.actor ?? null, target: query.target ?? null }
    const [from, end] = [
      { at: query.from ?? 0, id: noId },
      { at: query.to ?? Number.MAX_SAFE_INTEGER, id: noId },
    ]
    const rows: EventRow[] = []
    let before = cursor && isEarlier(cursor, end) ? cursor : end
    const upToLimit = (): Page<EventRow> => {
      const data = rows.slice(0, limit)
      return { data, next_cursor: rows.length > limit ? cursorOf(data.at(-1)!) : null }
    }

    // Without a filter each row passes: no more are looked at than are shown.
    if (Object.values(filters).every((filter) => filter === null)) {
      rows.push(...(await store.list(chain, { before, from }, filters, limit + 1)))
      return upToLimit()
    }

    /** Takes what passes of the next piece on; gives where it begins, unless it was the last. */
    const look = async (): Promise<After | undefined> => {
      const start = await store.startOfNewest(chain, { before, from }, pieceRows)
      rows.push(...(await store.list(chain, { before, from: start ?? from }, filters, limit + 1 - rows.length)))
      return start
    }

    for (let looked = 0; looked < pageRows; looked += pieceRows) {
      const start = await inTurn(look)
      if (rows.length > limit || !start) return upToLimit()
      before = start
    }
    return { data: rows, next_cursor: cursorOf(before) }
  }
