// Browsers that may ask for a code without showing each time that a person is there, and forgetting them.
import type { Device } from '../api'
import { t } from '../i18n'
import { usePages } from '../resource'
import { api } from '../session'
import { Button } from '../ui/button'
import { ask } from '../ui/confirm'
import { Icon } from '../ui/icons'
import { done, List } from '../ui/list'
import { Section } from '../ui/page'
import { Ago } from '../ui/time'

export const KnownDevices = () => {
  const devices = usePages(api.devices)
  const askForget = ({ id, label: device }: Device) =>
    ask({
      title: t('known.ask_forget', { device }),
      body: t('known.ask_forget_body'),
      action: t('known.forget'),
      run: () => api.forgetDevice(id),
      done: () => done(t('known.forgotten', { device }), devices),
    })
  return (
    <Section title={t('known.title')} lead={t('known.lead')}>
      <List from={devices} label={t('known.title')} empty={<p class="hint">{t('known.empty')}</p>}>
        {(device) => (
          <li class="row" key={device.id}>
            <Icon name="screen" />
            <div class="row-body">
              <p class="row-title">
                {device.label}
                {device.current && <span class="badge">{t('devices.current')}</span>}
              </p>
              <p class="facts">
                <span>
                  {t('known.last_used')} <Ago at={device.last_used_at} />
                </span>
              </p>
            </div>
            <Button onClick={() => askForget(device)} aria-label={t('known.forget_named', { device: device.label })}>
              {t('known.forget')}
            </Button>
          </li>
        )}
      </List>
    </Section>
  )
}
