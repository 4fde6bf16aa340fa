// Sign-in, first step: the address that a code goes to.
import { locale, t } from '../i18n'
import { paths } from '../paths'
import { awaitCode, pending } from '../pending'
import { address, go } from '../router'
import type { Problem } from '../send'
import { api, ended, keptPlace } from '../session'
import { Button } from '../ui/button'
import { Entrance } from '../ui/entrance'
import { useEntry } from '../ui/entry'
import { Field } from '../ui/field'
import { Title } from '../ui/page'
import { Working } from '../ui/working'
import { problemWords } from '../words'

const words = (problem: Problem) => (problem.code === 'invalid' ? t('signin.email_invalid') : problemWords(problem))

export const SignInPage = () => {
  const { field, busy, working, error, refuse, send } = useEntry()

  const submit = async () => {
    const email = field.current!.value.trim()
    if (busy.peek()) return
    if (email === '') return refuse(() => t('signin.email_missing'))
    const answer = await send((human) => api.start(email, locale.peek(), keptPlace(), human))
    if (!answer.ok) return refuse(() => words(answer.problem))
    awaitCode(email, answer.data)
    go(address.peek().replace(paths.signIn, paths.code))
  }

  return (
    <Entrance>
      <Title focus={false}>{t('signin.title')}</Title>
      <p class="lead">{ended.value ? t('signin.ended') : t('signin.lead')}</p>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault()
          void submit()
        }}
      >
        <Field
          label={t('signin.email')}
          error={error.value?.()}
          field={field}
          type="email"
          name="email"
          autocomplete="email"
          inputMode="email"
          autocapitalize="none"
          spellcheck={false}
          defaultValue={pending.peek()?.email ?? ''}
          onInput={() => {
            error.value = null
          }}
        />
        <Working part={working.value} />
        <Button kind="main" type="submit" busy={busy.value}>
          {t('signin.send')}
        </Button>
      </form>
    </Entrance>
  )
}
