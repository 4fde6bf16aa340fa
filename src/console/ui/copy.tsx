// A value to copy with one click.
import { useSignal } from '@preact/signals'
import { t } from '../i18n'
import { Icon } from './icons'
import { toast } from './toast'

const shownMs = 2000

type Props = { value: string; label: string; isBlock?: boolean }

export const Copyable = ({ value, label, isBlock }: Props) => {
  const copied = useSignal(false)
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(value)
    } catch {
      // Over plain HTTP, or where the browser asks and is refused.
      return toast(t('action.copy_failed'))
    }
    copied.value = true
    setTimeout(() => {
      copied.value = false
    }, shownMs)
  }
  return (
    <span class={isBlock ? 'copyable block' : 'copyable'}>
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
