// How far the work is that shows that a person is asking.
import { useId } from 'preact/hooks'
import { t } from '../i18n'

export const Working = ({ part }: { part: number | null }) => {
  const id = useId()
  if (part === null) return null
  return (
    <div class="working" role="status">
      <label for={id}>{t('signin.working')}</label>
      <progress id={id} value={part} />
    </div>
  )
}
