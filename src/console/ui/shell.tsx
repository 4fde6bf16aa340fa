// The frame of the console: where one can go on the left (a menu on phones), the page on the right.
import type { ComponentChildren } from 'preact'
import type { Permission } from '../../permissions'
import { t } from '../i18n'
import { type Path, paths } from '../paths'
import { enter, may, workspace, workspaces } from '../place'
import { path } from '../router'
import { api, left, who } from '../session'
import type { Key } from '../strings/table'
import { problemWords } from '../words'
import { Brand, Icon, type IconName } from './icons'
import { LanguageChoice } from './language'
import { toast } from './toast'

type Place = { to: Path; icon: IconName; label: Key; need?: Permission }

const places: readonly Place[] = [
  { to: paths.overview, icon: 'grid', label: 'nav.overview' },
  { to: paths.media, icon: 'film', label: 'nav.media', need: 'media:read' },
  { to: paths.projects, icon: 'folder', label: 'nav.projects', need: 'project:read' },
  { to: paths.members, icon: 'people', label: 'nav.members', need: 'member:read' },
  { to: paths.keys, icon: 'key', label: 'nav.keys', need: 'key:read' },
  { to: paths.audit, icon: 'list', label: 'nav.audit', need: 'audit:read' },
  { to: paths.workspaces, icon: 'house', label: 'nav.workspaces' },
  { to: paths.account, icon: 'person', label: 'nav.account' },
]

/** Ends this browser's session. */
export const signOut = async (): Promise<void> => {
  const answer = await api.signOut()
  if (!answer.ok && answer.problem.code !== 'unauthenticated') return toast(problemWords(answer.problem))
  left()
  toast(t('shell.signed_out'))
}

const closeMenu = () => document.getElementById('menu')?.hidePopover()

const Switcher = () => {
  const here = workspace.value
  if (!here) return null
  if (workspaces.value.length === 1) return <p class="switcher">{here.name}</p>
  return (
    <select
      class="switcher"
      aria-label={t('workspaces.switch')}
      value={here.id}
      onChange={(event) => {
        enter(event.currentTarget.value)
        closeMenu()
      }}
    >
      {workspaces.value.map(({ id, name }) => (
        <option key={id} value={id}>
          {name}
        </option>
      ))}
    </select>
  )
}

const isAt = (to: Path) => path.value === to || (to === paths.projects && path.value === paths.project)

const Menu = () => (
  <nav class="menu" id="menu" popover="auto" aria-label={t('nav.label')}>
    <Switcher />
    <ul>
      {places
        .filter(({ need }) => !need || may(need))
        .map(({ to, icon, label }) => (
          <li key={to}>
            <a href={to} aria-current={isAt(to) ? 'page' : undefined} onClick={closeMenu}>
              <Icon name={icon} />
              {t(label as 'nav.overview')}
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
