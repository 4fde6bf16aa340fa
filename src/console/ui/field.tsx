// A labelled field with its hint and its error beside it, tied together for those who cannot see them.
import type { InputHTMLAttributes, LooseInputHTMLAttributes, Ref } from 'preact'
import { useId } from 'preact/hooks'

type Props = Omit<LooseInputHTMLAttributes<HTMLInputElement>, 'id'> & {
  label: string
  hint?: string
  error?: string | undefined
  field: Ref<HTMLInputElement>
}

export const Field = ({ label, hint, error, field, ...input }: Props) => {
  const id = useId()
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        {...(input as InputHTMLAttributes)}
        id={id}
        ref={field}
        aria-invalid={error ? 'true' : undefined}
        aria-describedby={`${id}-hint ${id}-error`}
      />
      <p class="hint" id={`${id}-hint`}>
        {hint}
      </p>
      <p class="error" id={`${id}-error`} role="alert">
        {error}
      </p>
    </div>
  )
}
