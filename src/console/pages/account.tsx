// The account: name and address, the devices it is signed in on, all that is held about it, and its end.
import { parseAddress } from '../../lib/address'
import { t } from '../i18n'
import { save } from '../save'
import { api, left, loadWho, who } from '../session'
import { Button } from '../ui/button'
import { CodeForm } from '../ui/code-form'
import { ask } from '../ui/confirm'
import { closeDialog, Dialog, showDialog } from '../ui/dialog'
import { Field } from '../ui/field'
import { Form, textOf } from '../ui/form'
import { Head, Section } from '../ui/page'
import { toast } from '../ui/toast'
import { problemWords } from '../words'
import { Devices } from './devices'
import { KnownDevices } from './known-devices'

type ProofProps = { title: string; email: string; challengeId: string; accepted: () => void }

/** The code that a mailbox got, for what is to be done once it is proved. */
const Proof = ({ title, email, challengeId, accepted }: ProofProps) => (
  <Dialog title={title} lead={t('account.proof', { email })}>
    <CodeForm {...{ challengeId, accepted }} action={t('step_up.confirm')} cancel={closeDialog} />
  </Dialog>
)

const ChangeEmail = () => {
  let email = ''
  const accepted = () => {
    closeDialog()
    toast(t('account.email_changed', { email }))
    void loadWho()
  }
  return (
    <Dialog title={t('account.change_email')} lead={t('account.change_email_lead')}>
      <Form
        action={t('signin.send')}
        send={(form) => {
          email = textOf(form, 'email')
          return api.changeEmail({ email })
        }}
        done={({ challenge_id }) =>
          showDialog(<Proof {...{ title: t('account.change_email'), email, challengeId: challenge_id, accepted }} />)
        }
        explain={({ code, fields }) =>
          code === 'invalid' && !fields ? ['email', t('signin.email_invalid')] : undefined
        }
      >
        {(wrong) => (
          <Field
            {...{ label: t('account.new_email'), name: 'email', type: 'email', required: true, autocomplete: 'email' }}
            error={wrong('email', t('signin.email_invalid'))}
          />
        )}
      </Form>
    </Dialog>
  )
}

const Profile = ({ name, email }: { name: string | null; email: string }) => (
  <Section title={t('account.profile')}>
    <div class="panel">
      <Form
        action={t('action.save')}
        isDialog={false}
        send={(form) => api.updateMe({ name: textOf(form, 'name') || null })}
        done={() => {
          toast(t('name.saved'))
          void loadWho()
        }}
      >
        {(wrong) => (
          <Field
            {...{ label: t('account.name'), hint: t('account.name_hint'), name: 'name' }}
            {...{ autocomplete: 'name', defaultValue: name ?? '', error: wrong('name', t('name.wrong')) }}
          />
        )}
      </Form>
      <div class="actions spread">
        <p>
          <span class="hint">{t('signin.email')}</span> <strong>{email}</strong>
        </p>
        <Button onClick={() => showDialog(<ChangeEmail />)}>{t('account.change_email')}</Button>
      </div>
    </div>
  </Section>
)

const isAddress = (email: string) => (text: string) => {
  try {
    return parseAddress(text).exact === email
  } catch {
    return false
  }
}

const askDelete = (email: string) => {
  let asked: string | undefined
  ask({
    title: t('account.ask_delete', { email }),
    body: t('account.ask_delete_body'),
    action: t('account.delete'),
    typed: email,
    isSame: isAddress(email),
    conflict: t('account.last_admin'),
    run: async () => {
      const answer = await api.deleteMe()
      if (answer.ok) asked = answer.data?.challenge_id
      return answer
    },
    done: () => {
      const accepted = () => {
        closeDialog()
        left()
        toast(t('account.deleted'))
      }
      if (asked) showDialog(<Proof {...{ title: t('account.delete'), email, challengeId: asked, accepted }} />)
      else accepted()
    },
  })
}

const Leaving = ({ email }: { email: string }) => {
  const exportAll = async () => {
    const answer = await api.exportMe()
    if (!answer.ok) return toast(problemWords(answer.problem))
    save('latchkey-account.json', new Blob([JSON.stringify(answer.data, null, 2)], { type: 'application/json' }))
  }
  return (
    <Section title={t('account.data')} lead={t('account.data_lead')}>
      <div class="actions">
        <Button onClick={() => void exportAll()}>{t('account.export')}</Button>
        <Button kind="danger" onClick={() => askDelete(email)}>
          {t('account.delete')}
        </Button>
      </div>
    </Section>
  )
}

export const AccountPage = () => {
  if (who.value.is !== 'user') return null
  const { email, name } = who.value.me
  return (
    <>
      <Head title={t('account.title')} />
      <Profile key={`${name} ${email}`} name={name} email={email} />
      <Section title={t('devices.title')} lead={t('devices.lead')}>
        <Devices />
      </Section>
      <KnownDevices />
      <Leaving email={email} />
    </>
  )
}
