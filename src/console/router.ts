// Where the person is: the address bar as a signal. Real links, real history; the back button and deep links work.
import { computed, signal } from '@preact/signals'

const here = () => location.pathname + location.search

/** Path and query of the page that is shown. */
export const address = signal(here())
export const path = computed(() => address.value.split('?')[0]!.replace(/(.)\/$/, '$1'))
export const query = computed(() => new URL(address.value, location.origin).searchParams)

/** How many pages have been shown: the first takes no focus, those after it do. */
export const visits = signal(0)

const show = () => {
  if (here() === address.peek()) return
  visits.value++
  address.value = here()
}

// Each entry of the history has its number, so that a step can be taken back whichever way it went.
let step = 0
const stepOf = (state: { step?: number } | null) => state?.step
const mark = () => history.replaceState({ step }, '')

const holds: (() => void)[] = []
/** Until it is released by what is returned, Back and Forward do `instead` and stay on the page. The latest goes first. */
export const hold = (instead: () => void) => {
  holds.push(instead)
  return (): void => void holds.splice(holds.indexOf(instead), 1)
}

const move = ({ state }: PopStateEvent) => {
  const [to, instead] = [stepOf(state), holds.at(-1)]
  if (instead && to !== undefined && to !== step) {
    history.go(step - to)
    return instead()
  }
  // An entry without a number was only just made, by a link within the page.
  step = to ?? step + 1
  if (to === undefined) mark()
  show()
}

/** Goes to a page of ours. `replace` leaves no step behind to come back to. */
export const go = (to: string, { replace = false } = {}): void => {
  if (replace) history.replaceState({ step }, '', to)
  else history.pushState({ step: ++step }, '', to)
  show()
  scrollTo(0, 0)
}

/** A path of this origin out of untrusted text, or undefined: `//evil`, `/\evil` and other schemes are none. */
export const safePath = (text: string | null | undefined): string | undefined => {
  if (!text?.startsWith('/') || !URL.canParse(text, location.origin)) return undefined
  const url = new URL(text, location.origin)
  return url.origin === location.origin && !url.pathname.startsWith('//') ? url.pathname + url.search : undefined
}

const isPlainClick = (event: MouseEvent) =>
  event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || event.defaultPrevented)

/** Lets plain clicks on links to `ours` change the page without loading it. */
export const startRouter = (ours: ReadonlySet<string>): void => {
  step = stepOf(history.state) ?? step
  mark()
  addEventListener('popstate', move)
  document.addEventListener('click', (event) => {
    const link = (event.target as Element).closest?.('a')
    if (!link || !isPlainClick(event) || link.target || link.origin !== location.origin) return
    if (!ours.has(link.pathname)) return
    event.preventDefault()
    if (link.href !== location.href) go(link.pathname + link.search)
  })
}
