// A problem in words.
import { t } from './i18n'
import type { Problem } from './send'
import { countdown } from './time'

/** What went wrong and what to do about it. */
export const problemWords = ({ code, retryAfterSeconds }: Problem): string =>
  code === 'rate_limited' && retryAfterSeconds !== undefined
    ? t('error.rate_limited_for', { time: countdown(retryAfterSeconds) })
    : t(`error.${code}`)
