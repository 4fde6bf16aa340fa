// The account: who is signed in, and on which devices.
import { t } from '../i18n'
import { who } from '../session'
import { Section, Title } from '../ui/page'
import { Devices } from './devices'

export const AccountPage = () => (
  <>
    <Title>{t('account.title')}</Title>
    {who.value.is === 'user' && (
      <p class="lead">
        {t('account.signed_in_as')} <strong>{who.value.me.email}</strong>
      </p>
    )}
    <Section title={t('devices.title')} lead={t('devices.lead')}>
      <Devices />
    </Section>
  </>
)
