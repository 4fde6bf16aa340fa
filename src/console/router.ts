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

/** Goes to a page of ours. `replace` leaves no step behind to come back to. */
export const go = (to: string, { replace = false } = {}): void => {
  if (replace) history.replaceState(null, '', to)
  else history.pushState(null, '', to)
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
  addEventListener('popstate', show)
  document.addEventListener('click', (event) => {
    const link = (event.target as Element).closest?.('a')
    if (!link || !isPlainClick(event) || link.target || link.origin !== location.origin) return
    if (!ours.has(link.pathname)) return
    event.preventDefault()
    if (link.href !== location.href) go(link.pathname + link.search)
  })
}
