// The page behind the link in a mail. It posts on its own: only the browser that asked can redeem, so a scanner gains nothing.
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { t } from '../i18n'
import { paths } from '../paths'
import { go, safePath } from '../router'
import type { Problem } from '../send'
import { api, entered } from '../session'
import { Button } from '../ui/button'
import { Entrance } from '../ui/entrance'
import { Title } from '../ui/page'
import { Failed, Loading } from '../ui/states'

type Ticket = { id: string; secret: string }
type Step = { is: 'opening' } | { is: 'other_browser' } | { is: 'dead' } | { is: 'failed'; problem: Problem }

const takeTicket = (): Ticket | null => {
  if (location.pathname !== paths.link || location.hash === '') return null
  const [, id, secret] = /^#([\w-]{1,64})\.([\w-]{1,128})$/.exec(location.hash) ?? []
  history.replaceState(null, '', paths.link)
  return id && secret ? { id, secret } : null
}

// When the script loads and not when the page is drawn: the secret leaves the address bar before anything else happens.
const ticket = takeTicket()

const stepAfter = (problem: Problem): Step => {
  if (problem.code === 'other_browser') return { is: 'other_browser' }
  const passing = ['offline', 'unavailable', 'internal', 'rate_limited'].includes(problem.code)
  return passing ? { is: 'failed', problem } : { is: 'dead' }
}

const Ending = ({ title, body }: { title: string; body: string }) => (
  <>
    <Title>{title}</Title>
    <p class="lead">{body}</p>
    <Button kind="main" onClick={() => go(paths.signIn)}>
      {t('link.start_here')}
    </Button>
  </>
)

export const LinkPage = () => {
  const step = useSignal<Step>(ticket ? { is: 'opening' } : { is: 'dead' })

  const open = async () => {
    if (!ticket) return
    step.value = { is: 'opening' }
    const answer = await api.openLink(ticket.id, ticket.secret)
    if (!answer.ok) {
      step.value = stepAfter(answer.problem)
      return
    }
    await entered()
    go(safePath(answer.data.redirect) ?? paths.overview, { replace: true })
  }
  useEffect(() => void open(), [])

  const now = step.value
  return (
    <Entrance>
      {now.is === 'opening' && (
        <>
          <Title>{t('link.opening')}</Title>
          <Loading rows={2} />
        </>
      )}
      {now.is === 'failed' && (
        <>
          <Title>{t('link.opening')}</Title>
          <Failed title={t('link.not_yet')} problem={now.problem} retry={() => void open()} />
        </>
      )}
      {now.is === 'other_browser' && <Ending title={t('link.other_browser_title')} body={t('link.other_browser')} />}
      {now.is === 'dead' && <Ending title={t('link.dead_title')} body={t('link.dead')} />}
    </Entrance>
  )
}
