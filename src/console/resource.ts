// Something a page loads: the state every list and detail goes through.
import { type Signal, useSignal } from '@preact/signals'
import { useEffect, useMemo } from 'preact/hooks'
import type { Answer, Problem } from './api'

type Loaded<T> = { is: 'loading' } | { is: 'failed'; problem: Problem } | { is: 'ready'; data: T }
export type Resource<T> = { state: Signal<Loaded<T>>; reload: () => Promise<void> }

/** Loads when first shown and when the person comes back to the tab. What was there stays until something new is. */
export const useResource = <T>(load: () => Promise<Answer<T>>): Resource<T> => {
  const state = useSignal<Loaded<T>>({ is: 'loading' })
  const reload = useMemo(
    () => async () => {
      const answer = await load()
      if (answer.ok) state.value = { is: 'ready', data: answer.data }
      else if (state.peek().is !== 'ready') state.value = { is: 'failed', problem: answer.problem }
    },
    [],
  )
  useEffect(() => {
    void reload()
    const whenBack = () => document.visibilityState === 'visible' && void reload()
    document.addEventListener('visibilitychange', whenBack)
    return () => document.removeEventListener('visibilitychange', whenBack)
  }, [])
  return { state, reload }
}
