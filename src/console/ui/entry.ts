// One field whose answer the server judges: busy meanwhile, in focus and in words when it is refused.
import { useSignal } from '@preact/signals'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { asPerson } from '../human'
import type { Answer } from '../send'

export const useEntry = () => {
  const field = useRef<HTMLInputElement>(null)
  const busy = useSignal(false)
  const working = useSignal<number | null>(null)
  const error = useSignal<(() => string) | null>(null)

  useLayoutEffect(() => field.current?.focus(), [])

  return {
    ...{ field, busy, working, error },
    refuse: (why: () => string) => {
      error.value = why
      field.current?.focus()
      field.current?.select()
    },
    /** Sends it, once more with the work that shows a person where the server asks for that. */
    send: async <T>(send: (human: string | undefined) => Promise<Answer<T>>): Promise<Answer<T>> => {
      busy.value = true
      const answer = await asPerson(send, (part) => {
        working.value = part
      })
      busy.value = false
      return answer
    },
  }
}
