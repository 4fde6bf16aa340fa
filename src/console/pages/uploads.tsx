// Files on their way: how far they are, pausing, going on, giving up.
import { t } from '../i18n'
import { size } from '../numbers'
import { workspaceId } from '../session'
import { Button } from '../ui/button'
import { cancel, run, type Sending, uploads } from '../uploads'
import { problemWords } from '../words'

const Row = ({ of }: { of: Sending }) => {
  const [state, sent] = [of.state.value, of.sent.value]
  const { name } = of
  return (
    <li class="row">
      <div class="row-body">
        <p class="row-title">{name}</p>
        <progress value={of.bytes === 0 ? 1 : sent / of.bytes} aria-label={t('media.progress_of', { name })} />
        <p class="facts" role="status">
          <span>{t('usage.of', { used: size(sent), allowed: size(of.bytes) })}</span>
          {state === 'paused' && <span>{t('media.paused')}</span>}
          {typeof state === 'object' && <span class="bad">{problemWords(state)}</span>}
        </p>
      </div>
      {state === 'sending' ? (
        <Button onClick={of.upload.pause} aria-label={t('media.pause_named', { name })}>
          {t('media.pause')}
        </Button>
      ) : (
        <Button onClick={() => void run(of)} aria-label={t('media.resume_named', { name })}>
          {t('media.resume')}
        </Button>
      )}
      <Button kind="quiet" onClick={() => cancel(of)} aria-label={t('media.cancel_named', { name })}>
        {t('action.cancel')}
      </Button>
    </li>
  )
}

export const Uploads = ({ project }: { project: string }) => {
  const here = uploads.value.filter((one) => one.project === project && one.workspace === workspaceId.value)
  if (here.length === 0) return null
  return (
    <ul class="rows" aria-label={t('media.uploads')}>
      {here.map((one) => (
        <Row key={one.id} of={one} />
      ))}
    </ul>
  )
}
