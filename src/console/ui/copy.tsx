// A value to copy with one click.
import { useSignal } from '@preact/signals'
import { t } from '../i18n'
import { Icon } from './icons'

const shownMs = 2000

export const Copyable = ({ value, label }: { value: string; label: string }) => {
  const copied = useSignal(false)
  const copy = async () => {
    await navigator.clipboard.writeText(value)
    copied.value = true
    setTimeout(() => {
      copied.value = false
    }, shownMs)
  }
  return (
    <span class="copyable">
      <code>{value}</code>
      <button type="button" aria-label={`${t('action.copy')}: ${label}`} onClick={() => void copy()}>
        <Icon name={copied.value ? 'check' : 'copy'} />
      </button>
      <span class="aside" role="status">
        {copied.value ? t('action.copied') : ''}
      </span>
    </span>
  )
}
