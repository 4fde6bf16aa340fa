// A short word that something is done: seen for a while, and read out.
import { signal } from '@preact/signals'

const shownMs = 6000
const text = signal('')
let timer: ReturnType<typeof setTimeout> | undefined

/** Says nothing any more. */
export const hush = (): void => {
  clearTimeout(timer)
  text.value = ''
}

export const toast = (words: string): void => {
  clearTimeout(timer)
  text.value = words
  timer = setTimeout(hush, shownMs)
}

// Always in the page: a live region that appears together with its words is often not read.
export const Toast = () => (
  <div class="toast" role="status">
    {text.value && <span>{text.value}</span>}
  </div>
)
