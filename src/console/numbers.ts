// Numbers and sizes in the person's language.
import { locale } from './i18n'

const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const

/** Bytes as one would say them: 1.5 MB. */
export const size = (bytes: number): string => {
  const step = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)))
  const style = {
    style: 'unit',
    unit: units[step]!,
    unitDisplay: step === 0 ? 'long' : 'short',
    maximumFractionDigits: 1,
  } as const
  return new Intl.NumberFormat(locale.value, style).format(bytes / 1000 ** step)
}

export const count = (value: number): string => new Intl.NumberFormat(locale.value).format(value)
