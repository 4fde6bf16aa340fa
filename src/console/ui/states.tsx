// What stands in for content: it is coming, it failed, there is none.
import type { ComponentChildren } from 'preact'
import { t } from '../i18n'
import type { Resource } from '../resource'
import type { Problem } from '../send'
import { problemWords } from '../words'
import { Button } from './button'
import { Icon, type IconName } from './icons'

/** Grey lines in the shape of what is coming. They appear only after a moment, so that what is quick does not flicker. */
export const Loading = ({ rows = 3 }: { rows?: number }) => (
  <div class="loading" role="status" aria-label={t('state.loading')}>
    {Array.from({ length: rows }, (_, row) => (
      <div class="skeleton" key={row} />
    ))}
  </div>
)

type FailedProps = { title?: string; problem: Problem; retry: () => void }

export const Failed = ({ title = t('state.failed'), problem, retry }: FailedProps) => (
  <div class="notice" role="alert">
    <Icon name="alert" />
    <div>
      <strong>{title}</strong>
      <p>{problemWords(problem)}</p>
    </div>
    <Button onClick={retry}>{t('action.retry')}</Button>
  </div>
)

export const Empty = ({ icon, title, children }: { icon: IconName; title?: string; children: ComponentChildren }) => (
  <div class="empty">
    <Icon name={icon} />
    {title && <h2>{title}</h2>}
    <p>{children}</p>
  </div>
)

/** Shows a resource in whichever state it is. */
export const Load = <T,>({ from, children }: { from: Resource<T>; children: (data: T) => ComponentChildren }) => {
  const state = from.state.value
  if (state.is === 'loading') return <Loading />
  if (state.is === 'failed') return <Failed problem={state.problem} retry={() => void from.reload()} />
  return <>{children(state.data)}</>
}
