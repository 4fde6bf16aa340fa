// The head of every page: its title, in the tab too, which takes the focus when one comes here from another page.
import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { visits } from '../router'

/** Names the tab. */
export const setTitle = (title: string): void => {
  document.title = `${title} · Latchkey`
}

/** `focus`: whether the title takes the focus; not where a field does. */
export const Title = ({ children, focus = true }: { children: string; focus?: boolean }) => {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => setTitle(children), [children])
  useEffect(() => {
    if (focus && visits.peek() > 0) heading.current?.focus()
  }, [])
  return (
    <h1 ref={heading} tabIndex={-1}>
      {children}
    </h1>
  )
}

export const Section = ({ title, lead, children }: { title: string; lead?: string; children: ComponentChildren }) => (
  <section class="section">
    <h2>{title}</h2>
    {lead && <p class="lead">{lead}</p>}
    {children}
  </section>
)
