// Instants and durations in the person's language.
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { locale } from './i18n'

const steps: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
]

/** `iso` as seen from `nowMs`: "3 hours ago", "yesterday", "now". */
export const ago = (iso: string, nowMs: number): string => {
  const seconds = (Date.parse(iso) - nowMs) / 1000
  const [unit, size] = steps.find(([, size]) => Math.abs(seconds) >= size) ?? ['second', 1]
  const format = new Intl.RelativeTimeFormat(locale.value, { numeric: 'auto' })
  return format.format(unit === 'second' ? 0 : Math.trunc(seconds / size), unit)
}

/** `iso` in full, in the person's own time zone. */
export const inFull = (iso: string): string =>
  new Intl.DateTimeFormat(locale.value, { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(iso))

/** Seconds as `m:ss`. */
export const countdown = (seconds: number): string =>
  `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`

/** The time now in ms, renewed every `everyMs` while the component is shown. */
export const useNow = (everyMs: number): number => {
  const now = useSignal(Date.now())
  useEffect(() => {
    const timer = setInterval(() => {
      now.value = Date.now()
    }, everyMs)
    return () => clearInterval(timer)
  }, [everyMs])
  return now.value
}
