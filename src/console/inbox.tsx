// The development inbox: mail that is shown instead of being sent.
import { computed, signal } from '@preact/signals'
import { render } from 'preact'
import { createApi, type InboxMail } from './api'
import { t } from './i18n'
import type { Problem } from './send'
import { Brand } from './ui/icons'
import { LanguageChoice } from './ui/language'
import { setTitle } from './ui/page'
import { Empty, Failed, Loading } from './ui/states'
import { Ago } from './ui/time'

const pollMs = 2000
const api = createApi((input, init) => fetch(input, init), { signedOut: () => {} })

const mails = signal<InboxMail[] | null>(null)
const problem = signal<Problem | null>(null)
const chosen = signal<string | null>(null)
const view = signal<'text' | 'html'>('text')
const shown = computed(() => mails.value?.find(({ id }) => id === chosen.value) ?? mails.value?.[0])

const load = async () => {
  const answer = await api.inbox()
  problem.value = answer.ok ? null : answer.problem
  if (answer.ok) mails.value = answer.data.data
}

const List = ({ mails }: { mails: InboxMail[] }) => (
  <nav class="mails" aria-label={t('inbox.list')}>
    {mails.map(({ id, subject, to, sent_at }) => (
      <button
        key={id}
        type="button"
        aria-current={id === shown.value?.id ? 'true' : undefined}
        onClick={() => {
          chosen.value = id
        }}
      >
        <strong>{subject}</strong>
        <span>{to}</span>
        <Ago at={sent_at} />
      </button>
    ))}
  </nav>
)

const Text = ({ text }: { text: string }) => (
  <pre class="mail-text">
    {text.split(/(https?:\/\/\S+)/).map((part, at) =>
      at % 2 === 0 ? (
        part
      ) : (
        <a key={part} href={part} target="_blank" rel="noopener noreferrer">
          {part}
        </a>
      ),
    )}
  </pre>
)

const Mail = ({ mail }: { mail: InboxMail }) => (
  <article class="mail">
    <h2>{mail.subject}</h2>
    <p class="facts">
      <span>{t('inbox.to', { address: mail.to })}</span>
      <Ago at={mail.sent_at} />
    </p>
    <fieldset class="views">
      <legend>{t('inbox.view')}</legend>
      {(['text', 'html'] as const).map((kind) => (
        <label key={kind}>
          <input
            type="radio"
            name="view"
            checked={view.value === kind}
            onChange={() => {
              view.value = kind
            }}
          />
          {t(`inbox.${kind}`)}
        </label>
      ))}
    </fieldset>
    {view.value === 'text' ? (
      <Text text={mail.text} />
    ) : (
      <iframe
        title={mail.subject}
        src={`/inbox/${encodeURIComponent(mail.id)}`}
        sandbox="allow-popups allow-popups-to-escape-sandbox"
      />
    )}
  </article>
)

const Content = () => {
  if (mails.value === null)
    return problem.value ? <Failed problem={problem.value} retry={() => void load()} /> : <Loading />
  if (!shown.value)
    return (
      <Empty icon="mail" title={t('inbox.empty_title')}>
        {t('inbox.empty')}
      </Empty>
    )
  return (
    <div class="inbox-body">
      <List mails={mails.value} />
      <Mail mail={shown.value} />
    </div>
  )
}

const Inbox = () => {
  setTitle(t('inbox.title'))
  return (
    <main class="inbox">
      <header class="inbox-head">
        <Brand />
        <LanguageChoice />
      </header>
      <h1>{t('inbox.title')}</h1>
      <p class="lead">{t('inbox.lead')}</p>
      <Content />
    </main>
  )
}

void load()
setInterval(() => document.visibilityState === 'visible' && void load(), pollMs)
render(<Inbox />, document.getElementById('root')!)
