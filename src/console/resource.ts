// Something a page loads: the state every list and detail goes through.
import { type Signal, useSignal } from '@preact/signals'
import { useEffect, useMemo, useRef } from 'preact/hooks'
import type { Page } from '../lib/page'
import type { Answer, Problem } from './send'

type Loaded<T> = { is: 'loading' } | { is: 'failed'; problem: Problem } | { is: 'ready'; data: T }
export type Resource<T> = { state: Signal<Loaded<T>>; reload: () => Promise<void> }

/**
 * Loads when first shown, when `about` changes, and when the person comes back to the tab. What was there stays until
 * something new is, but for another `about`.
 */
export const useResource = <T>(load: () => Promise<Answer<T>>, about = ''): Resource<T> => {
  const state = useSignal<Loaded<T>>({ is: 'loading' })
  const wanted = useRef(about)
  wanted.current = about
  const reload = useMemo(
    () => async () => {
      const answer = await load()
      if (wanted.current !== about) return
      if (answer.ok) state.value = { is: 'ready', data: answer.data }
      else if (state.peek().is !== 'ready') state.value = { is: 'failed', problem: answer.problem }
    },
    [about],
  )
  useEffect(() => {
    state.value = { is: 'loading' }
    void reload()
    const whenBack = () => document.visibilityState === 'visible' && void reload()
    document.addEventListener('visibilitychange', whenBack)
    return () => document.removeEventListener('visibilitychange', whenBack)
  }, [reload])
  return { state, reload }
}

export type Pages<T> = Resource<T[]> & { more: Signal<(() => Promise<void>) | null> }

const pagesKept = 20

type Load<T> = (cursor?: string) => Promise<Answer<Page<T>>>

/** So many pages of what `load` gives, and where the next begins. Empty ones, behind which a search goes on, do not count. */
export const readPages = async <T>(load: Load<T>, count: number): Promise<Answer<{ data: T[]; next?: string }>> => {
  const data: T[] = []
  let next: string | undefined
  for (let pages = 0; pages < count; ) {
    const answer = await load(next)
    if (!answer.ok) return answer
    data.push(...answer.data.data)
    if (answer.data.data.length > 0) pages++
    next = answer.data.next_cursor ?? undefined
    if (!next) break
  }
  return { ok: true, data: { data, ...(next && { next }) } }
}

/** A list that is read page by page. A reload reads as many pages as are shown. `about`: what it is a list of. */
export const usePages = <T>(load: Load<T>, about = ''): Pages<T> => {
  const more = useSignal<(() => Promise<void>) | null>(null)
  const read = useMemo(() => {
    let shown = 1
    const all = async (): Promise<Answer<T[]>> => {
      const answer = await readPages(load, shown)
      if (!answer.ok) return answer
      const { data, next } = answer.data
      const grow = async () => {
        shown++
        await list.reload()
      }
      more.value = next && shown < pagesKept ? grow : null
      return { ok: true, data }
    }
    return all
  }, [about])
  const list = useResource(read, about)
  return { ...list, more }
}
