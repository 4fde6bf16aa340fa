// Where the console starts in the browser: which page an address shows, and who may see it.
import { computed, effect, signal } from '@preact/signals'
import { type ComponentType, render } from 'preact'
import type { Permission } from '../permissions'
import { t } from './i18n'
import { AccountPage } from './pages/account'
import { AuditPage } from './pages/audit'
import { CodePage } from './pages/code'
import { KeysPage } from './pages/keys'
import { LinkPage } from './pages/link'
import { MediaPage } from './pages/media'
import { MembersPage } from './pages/members'
import { OverviewPage } from './pages/overview'
import { ProjectPage } from './pages/project'
import { ProjectsPage } from './pages/projects'
import { SignInPage } from './pages/sign-in'
import { WorkspacesPage } from './pages/workspaces'
import { type Path, paths } from './paths'
import { askAgain, isSettled, may, placeProblem, workspace } from './place'
import { go, path, startRouter } from './router'
import { keptPlace, loadWho, signInPath, who } from './session'
import { closeDialog, OpenDialog } from './ui/dialog'
import { Entrance } from './ui/entrance'
import { Head, Title } from './ui/page'
import { Shell } from './ui/shell'
import { Empty, Failed, Loading } from './ui/states'
import { StepUp } from './ui/step-up'
import { hush, Toast } from './ui/toast'

/** `for`: those who are signed in, those who are not, or anybody. `need`: what one must be allowed in the workspace. */
type Page = { view: ComponentType; for: 'user' | 'nobody' | 'anybody'; need?: Permission }

const pages: Record<Path, Page> = {
  [paths.overview]: { view: OverviewPage, for: 'user' },
  [paths.members]: { view: MembersPage, for: 'user', need: 'member:read' },
  [paths.projects]: { view: ProjectsPage, for: 'user', need: 'project:read' },
  [paths.project]: { view: ProjectPage, for: 'user', need: 'project:read' },
  [paths.keys]: { view: KeysPage, for: 'user', need: 'key:read' },
  [paths.media]: { view: MediaPage, for: 'user', need: 'media:read' },
  [paths.audit]: { view: AuditPage, for: 'user', need: 'audit:read' },
  [paths.workspaces]: { view: WorkspacesPage, for: 'user' },
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

/** A page of the console, once it is known what the person may do in the workspace. */
const Inside = ({ page }: { page: Page }) => {
  if (placeProblem.value && !isSettled.value) return <Failed problem={placeProblem.value} retry={askAgain} />
  if (!isSettled.value) return <Loading />
  if (page.need && !may(page.need))
    return (
      <>
        <Head title={t('state.not_yours')} />
        <Empty icon="lock">{t('state.not_yours_body')}</Empty>
      </>
    )
  // Anew for each workspace: nothing of one is seen in another.
  return <page.view key={workspace.value?.id} />
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
      <Inside page={page} />
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
    <OpenDialog />
    <StepUp />
    <Toast />
  </>
)

effect(() => {
  const wanted = pageHere().for
  if (wanted !== 'anybody' && who.value.is === 'unknown') void loadWho()
  if (wanted === 'user' && who.value.is === 'nobody') go(signInPath(), { replace: true })
  if (wanted === 'nobody' && who.value.is === 'user') go(keptPlace() ?? paths.overview, { replace: true })
})

// A dialog belongs to the page, the workspace and the person it was opened for.
const scene = computed(() => `${path.value} ${workspace.value?.id} ${who.value.is}`)
effect(() => {
  void scene.value
  closeDialog()
})

// What was said to somebody may name what is theirs: the next one here does not read it.
const isNobody = computed(() => who.value.is === 'nobody')
effect(() => {
  if (isNobody.value) hush()
})

addEventListener('online', noteConnection)
addEventListener('offline', noteConnection)
startRouter(new Set(Object.values(paths)))
render(<App />, document.getElementById('root')!)
