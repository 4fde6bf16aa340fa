// Labelled fields with hint and error beside them, tied together for those who cannot see them.
import type { ComponentChildren, InputHTMLAttributes, LooseInputHTMLAttributes, Ref } from 'preact'
import { useId } from 'preact/hooks'

type Words = { label: string; hint?: string | undefined; error?: string | undefined }
type Props = Omit<LooseInputHTMLAttributes<HTMLInputElement>, 'id'> & Words & { field?: Ref<HTMLInputElement> }

const Frame = ({ id, label, hint, error, children }: Words & { id: string; children: ComponentChildren }) => (
  <div class="field">
    <label for={id}>{label}</label>
    {children}
    <p class="hint" id={`${id}-hint`}>
      {hint}
    </p>
    <p class="error" id={`${id}-error`} role="alert">
      {error}
    </p>
  </div>
)
const tied = (id: string, error: string | undefined) => ({
  id,
  'aria-invalid': error ? ('true' as const) : undefined,
  'aria-describedby': `${id}-hint ${id}-error`,
})

export const Field = ({ label, hint, error, field, ...input }: Props) => {
  const id = useId()
  return (
    <Frame id={id} label={label} hint={hint} error={error}>
      <input {...(input as InputHTMLAttributes)} ref={field ?? null} {...tied(id, error)} />
    </Frame>
  )
}

type ChoiceProps = Words & {
  name?: string
  value: string
  options: readonly (readonly [value: string, words: string])[]
  onChoose?: (value: string) => void
}

export const Choice = ({ label, hint, error, name, value, options, onChoose }: ChoiceProps) => {
  const id = useId()
  return (
    <Frame id={id} label={label} hint={hint} error={error}>
      <select {...tied(id, error)} name={name} onChange={(event) => onChoose?.(event.currentTarget.value)}>
        {options.map(([option, words]) => (
          <option key={option} value={option} selected={option === value}>
            {words}
          </option>
        ))}
      </select>
    </Frame>
  )
}

type CheckProps = { label: string; name?: string; value?: string; checked?: boolean; onCheck?: (is: boolean) => void }

export const Check = ({ label, name, value, checked, onCheck }: CheckProps) => (
  <label class="check">
    <input
      type="checkbox"
      name={name}
      value={value ?? 'on'}
      defaultChecked={checked ?? false}
      onChange={(event) => onCheck?.(event.currentTarget.checked)}
    />
    {label}
  </label>
)
