// The frame of the console: where one can go on the left (a menu on phones), the page on the right.

import type { ComponentChildren } from 'preact'
import { t } from '../i18n'
import { type Path, paths } from '../paths'
import { path } from '../router'
import { api, left, who } from '../session'
import type { Key } from '../strings/table'
import { problemWords } from '../words'
import { Brand, Icon, type IconName } from './icons'
import { LanguageChoice } from './language'
import { toast } from './toast'

const places = [
  { to: paths.overview, icon: 'grid', label: 'nav.overview' },
  { to: paths.account, icon: 'person', label: 'nav.account' },
] as const satisfies readonly { to: Path; icon: IconName; label: Key }[]

/** Ends this browser's session. */
export const signOut = async (): Promise<void> => {
  const answer = await api.signOut()
  if (!answer.ok && answer.problem.code !== 'unauthenticated') return toast(problemWords(answer.problem))
  left()
  toast(t('shell.signed_out'))
}

const closeMenu = () => document.getElementById('menu')?.hidePopover()

const Menu = () => (
  <nav class="menu" id="menu" popover="auto" aria-label={t('nav.label')}>
    <ul>
      {places.map(({ to, icon, label }) => (
        <li key={to}>
          <a href={to} aria-current={path.value === to ? 'page' : undefined} onClick={closeMenu}>
            <Icon name={icon} />
            {t(label)}
          </a>
        </li>
      ))}
    </ul>
    <div class="menu-foot">
      <span class="whom">{who.value.is === 'user' && who.value.me.email}</span>
      <button type="button" class="button quiet" onClick={() => void signOut()}>
        {t('shell.sign_out')}
      </button>
      <LanguageChoice />
    </div>
  </nav>
)

export const Shell = ({ children }: { children: ComponentChildren }) => (
  <div class="shell">
    <a class="skip" href="#content">
      {t('nav.skip')}
    </a>
    <header class="bar">
      <Brand />
      <button type="button" class="button quiet" popovertarget="menu" aria-label={t('nav.menu')}>
        <Icon name="menu" />
      </button>
    </header>
    <Menu />
    <main id="content" tabIndex={-1}>
      {children}
    </main>
  </div>
)
