// The choice of language, each named in itself.
import { languages, locale, t } from '../i18n'
import { chooseLocale } from '../session'
import type { Locale } from '../strings/table'

export const LanguageChoice = () => (
  <select
    class="language"
    aria-label={t('shell.language')}
    value={locale.value}
    onChange={(event) => chooseLocale(event.currentTarget.value as Locale)}
  >
    {Object.entries(languages).map(([tag, name]) => (
      <option key={tag} value={tag} lang={tag === 'zh' ? 'zh-Hans' : tag}>
        {name}
      </option>
    ))}
  </select>
)
