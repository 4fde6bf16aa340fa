// Buttons: one look each for the main, an ordinary, a quiet and a dangerous action.
import type { ComponentChildren } from 'preact'

type Props = {
  children: ComponentChildren
  kind?: 'main' | 'plain' | 'quiet' | 'danger'
  type?: 'button' | 'submit'
  /** At work: it stays where it is and keeps the focus, but does nothing. */
  busy?: boolean
  disabled?: boolean
  onClick?: () => void
  'aria-label'?: string
}

export const Button = ({ children, kind = 'plain', type = 'button', busy, disabled, onClick, ...rest }: Props) => {
  const idle = busy || disabled
  // aria-disabled and not disabled: a button that vanishes from the tab order takes the focus with it.
  return (
    <button
      {...rest}
      type={type}
      class={`button ${kind}`}
      aria-disabled={idle ? 'true' : undefined}
      aria-busy={busy ? 'true' : undefined}
      onClick={(event) => {
        if (idle) event.preventDefault()
        else onClick?.()
      }}
    >
      {children}
    </button>
  )
}
