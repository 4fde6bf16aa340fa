// A fresh proof in place: a route asks for it, the person gives it, and the call is made once more.
import { signal } from '@preact/signals'

/** Whoever waits for the proof; null while nobody does. */
export const waiting = signal<((proved: boolean) => void)[] | null>(null)

/** Asks the person. Several calls at once wait for the same answer. */
export const confirmItIsYou = (): Promise<boolean> =>
  new Promise((resolve) => {
    waiting.value = [...(waiting.peek() ?? []), resolve]
  })

/** Ends the question. */
export const confirmed = (proved: boolean): void => {
  const asked = waiting.peek() ?? []
  waiting.value = null
  for (const tell of asked) tell(proved)
}
