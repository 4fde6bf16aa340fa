// A link to one file for some minutes: made, copied, seen to run out, ended.
import { useSignal } from '@preact/signals'
import { t } from '../i18n'
import type { Problem } from '../send'
import { api } from '../session'
import { countdown, useNow } from '../time'
import { Button } from '../ui/button'
import { Copyable } from '../ui/copy'
import { problemWords } from '../words'
import type { Media, NewLink } from '../workspace-api'

type Shown = { link: NewLink | null; said: 'ended' | Problem | null }

const Running = ({ link, end, busy }: { link: NewLink; end: () => void; busy: boolean }) => {
  const left = Math.max(0, Math.ceil((Date.parse(link.expires_at) - useNow(1000)) / 1000))
  return (
    <>
      <Copyable value={window.location.origin + link.url} label={t('media.link')} isBlock />
      <div class="actions spread">
        <span class="hint" role="timer">
          {left > 0 ? t('media.link_left', { time: countdown(left) }) : t('media.link_over')}
        </span>
        {left > 0 && (
          <Button busy={busy} onClick={end}>
            {t('media.link_end')}
          </Button>
        )}
      </div>
    </>
  )
}

export const MediaLink = ({ media }: { media: Media }) => {
  const shown = useSignal<Shown>({ link: null, said: null })
  const busy = useSignal(false)
  const { link, said } = shown.value

  const make = async () => {
    busy.value = true
    const answer = await api.createLink(media.id)
    busy.value = false
    shown.value = answer.ok ? { link: answer.data, said: null } : { link, said: answer.problem }
  }
  const end = async (id: string) => {
    busy.value = true
    const answer = await api.endLink(id)
    busy.value = false
    shown.value = answer.ok ? { link: null, said: 'ended' } : { link, said: answer.problem }
  }

  return (
    <section class="media-link" aria-label={t('media.link')}>
      <div class="actions spread">
        <p class="hint">{t('media.link_lead')}</p>
        <Button busy={busy.value} onClick={() => void make()}>
          {t('media.link_make')}
        </Button>
      </div>
      {link && <Running key={link.id} {...{ link, busy: busy.value, end: () => void end(link.id) }} />}
      <p class={said === 'ended' ? 'hint' : 'error'} role="status">
        {said === 'ended' ? t('media.link_ended') : said && problemWords(said)}
      </p>
    </section>
  )
}
