// A dialog over the page, by the browser's own: focus stays inside, Escape and Back leave, and it goes back where it was.
import { signal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useId, useLayoutEffect, useRef } from 'preact/hooks'
import { hold } from '../router'

const shown = signal<ComponentChildren>(null)

/** Shows `content`, which is a `Dialog`, instead of whatever dialog there was. */
export const showDialog = (content: ComponentChildren): void => {
  shown.value = content
}
export const closeDialog = (): void => showDialog(null)

type Props = {
  title: string
  lead?: string | undefined
  /** Null: it is left only by what is inside. */
  leave?: (() => void) | null
  isWide?: boolean
  children: ComponentChildren
}

export const Dialog = ({ title, lead, leave = closeDialog, isWide, children }: Props) => {
  const [id, dialog] = [useId(), useRef<HTMLDialogElement>(null)]
  useLayoutEffect(() => {
    const element = dialog.current!
    element.showModal()
    // Closed before it is taken out of the page, so that the focus goes back.
    return () => element.close()
  }, [])
  useLayoutEffect(() => hold(() => leave?.()), [leave])
  return (
    <dialog
      ref={dialog}
      class={isWide ? 'dialog wide' : 'dialog'}
      aria-labelledby={`${id}-title`}
      aria-describedby={lead ? `${id}-lead` : undefined}
      onCancel={(event) => {
        event.preventDefault()
        leave?.()
      }}
      onKeyDown={(event) => {
        // A second Escape closes a dialog whatever its cancel event says.
        if (event.key === 'Escape' && !leave) event.preventDefault()
      }}
    >
      <h2 id={`${id}-title`}>{title}</h2>
      {lead && <p id={`${id}-lead`}>{lead}</p>}
      {children}
    </dialog>
  )
}

export const OpenDialog = () => <>{shown.value}</>
