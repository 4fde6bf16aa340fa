// Where the console starts in the browser: which page an address shows, and who may see it.
import { effect, signal } from '@preact/signals'
import { type ComponentType, render } from 'preact'
import { t } from './i18n'
import { AccountPage } from './pages/account'
import { CodePage } from './pages/code'
import { LinkPage } from './pages/link'
import { OverviewPage } from './pages/overview'
import { SignInPage } from './pages/sign-in'
import { type Path, paths } from './paths'
import { go, path, startRouter } from './router'
import { keptPlace, loadWho, signInPath, who } from './session'
import { Entrance } from './ui/entrance'
import { Title } from './ui/page'
import { Shell } from './ui/shell'
import { Failed, Loading } from './ui/states'
import { Toast } from './ui/toast'

/** `for`: those who are signed in, those who are not, or anybody. */
type Page = { view: ComponentType; for: 'user' | 'nobody' | 'anybody' }

const pages: Record<Path, Page> = {
  [paths.overview]: { view: OverviewPage, for: 'user' },
  [paths.account]: { view: AccountPage, for: 'user' },
  [paths.signIn]: { view: SignInPage, for: 'nobody' },
  [paths.code]: { view: CodePage, for: 'nobody' },
  [paths.link]: { view: LinkPage, for: 'anybody' },
}
const pageHere = () => pages[path.value as Path] ?? pages[paths.overview]

const offline = signal(!navigator.onLine)
const noteConnection = () => {
  offline.value = !navigator.onLine
}

const Content = () => {
  const [page, now] = [pageHere(), who.value]
  if (page.for === 'anybody') return <page.view />
  if (now.is === 'failed') {
    return (
      <Entrance>
        <Title focus={false}>{t('state.unreachable')}</Title>
        <Failed problem={now.problem} retry={() => void loadWho()} />
      </Entrance>
    )
  }
  // The wrong page for whoever it is shows nothing: the effect below is on its way to the right one.
  if (now.is === 'unknown')
    return page.for === 'user' ? (
      <Shell>
        <Loading />
      </Shell>
    ) : null
  if (now.is !== page.for) return null
  return page.for === 'user' ? (
    <Shell>
      <page.view />
    </Shell>
  ) : (
    <page.view />
  )
}

const App = () => (
  <>
    {offline.value && (
      <p class="offline" role="status">
        {t('shell.offline')}
      </p>
    )}
    <Content />
    <Toast />
  </>
)

effect(() => {
  const wanted = pageHere().for
  if (wanted !== 'anybody' && who.value.is === 'unknown') void loadWho()
  if (wanted === 'user' && who.value.is === 'nobody') go(signInPath(), { replace: true })
  if (wanted === 'nobody' && who.value.is === 'user') go(keptPlace() ?? paths.overview, { replace: true })
})

addEventListener('online', noteConnection)
addEventListener('offline', noteConnection)
startRouter(new Set(Object.values(paths)))
render(<App />, document.getElementById('root')!)
