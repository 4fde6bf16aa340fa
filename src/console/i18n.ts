// The person's language and the words in it.
import { effect, signal } from '@preact/signals'
import { kept } from './storage'
import { type Key, type Locale, strings, type Values } from './strings/table'

export const languages: Record<Locale, string> = { en: 'English', zh: '中文' }

const storageKey = 'latchkey.locale'

/** Whether the person chose a language in this browser. */
export const hasChosen = (): boolean => kept.read(storageKey) !== null

const preferred = (): Locale => {
  const wanted = [kept.read(storageKey), ...navigator.languages].map((tag) => tag?.toLowerCase().split('-')[0])
  return (wanted.find((tag) => tag !== undefined && tag in languages) as Locale | undefined) ?? 'en'
}

export const locale = signal<Locale>(preferred())

effect(() => {
  document.documentElement.lang = locale.value === 'zh' ? 'zh-Hans' : locale.value
})

export const setLocale = (to: Locale): void => {
  locale.value = to
  kept.write(storageKey, to)
}

/** The words under `key` in the person's language, with its `{placeholders}` filled in. */
export const t = <K extends Key>(key: K, ...[values]: Values<K>): string =>
  strings[key][locale.value].replace(/\{(\w+)\}/g, (_, name: string) =>
    String((values as Record<string, string | number> | undefined)?.[name] ?? ''),
  )
