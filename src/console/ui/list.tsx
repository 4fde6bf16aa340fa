// A list of things: rows, what to say where there are none, and a button for the next page.
import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { t } from '../i18n'
import type { Pages } from '../resource'
import { Button } from './button'
import { Load } from './states'
import { toast } from './toast'

const More = ({ more }: { more: () => Promise<void> }) => {
  const busy = useSignal(false)
  const load = async () => {
    busy.value = true
    await more()
    busy.value = false
  }
  return (
    <div class="actions">
      <Button busy={busy.value} onClick={() => void load()}>
        {t('action.more')}
      </Button>
    </div>
  )
}

type Props<T> = {
  from: Pages<T>
  label: string
  empty: ComponentChildren
  look?: string
  children: (item: T) => ComponentChildren
}

export const List = <T,>({ from, label, empty, look = 'rows', children }: Props<T>) => (
  <Load from={from}>
    {(data) =>
      data.length === 0 ? (
        empty
      ) : (
        <>
          <ul class={look} aria-label={label}>
            {data.map(children)}
          </ul>
          {from.more.value && <More more={from.more.value} />}
        </>
      )
    }
  </Load>
)

/** Says that it is done and reads anew. A button that went with its row takes the focus along: it goes to the page. */
export const done = (words: string, { reload }: { reload: () => Promise<void> }): void => {
  toast(words)
  void reload().then(() => {
    if (document.activeElement === document.body) document.getElementById('content')?.focus()
  })
}
