// A picture of a file: itself where the browser can show it, else a drawing of its kind.
import type { Media } from '../workspace-api'
import { Icon, type IconName } from './icons'

const kindOf = (type: string) => type.split('/')[0]
const iconOf = (type: string): IconName =>
  kindOf(type) === 'audio' ? 'sound' : kindOf(type) === 'video' ? 'film' : 'file'

export const Preview = ({ media: { url, type } }: { media: Media }) => {
  if (kindOf(type) === 'image') return <img class="preview" src={url} alt="" loading="lazy" />
  if (kindOf(type) === 'video')
    return <video class="preview" src={url} preload="metadata" muted tabIndex={-1} aria-hidden="true" />
  return (
    <span class="preview">
      <Icon name={iconOf(type)} />
    </span>
  )
}

/** The file itself: looked at, or played from wherever one likes. */
export const Player = ({ media: { url, type, name } }: { media: Media }) => {
  if (kindOf(type) === 'image') return <img class="player" src={url} alt={name} />
  // biome-ignore lint/a11y/useMediaCaption: a file that somebody uploaded has no captions that we could know of
  if (kindOf(type) === 'video') return <video class="player" src={url} controls preload="metadata" aria-label={name} />
  // biome-ignore lint/a11y/useMediaCaption: as above
  if (kindOf(type) === 'audio') return <audio class="player" src={url} controls preload="metadata" aria-label={name} />
  return null
}
