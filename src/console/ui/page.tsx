// The head of every page: its title, in the tab too, which takes the focus when one comes here from another page.
import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { visits } from '../router'

/** Names the tab. */
export const setTitle = (title: string): void => {
  document.title = `${title} · Latchkey`
}

/** `focus`: whether the title takes the focus; not where a field does. */
export const Title = ({ children, focus = true }: { children: string; focus?: boolean }) => {
  const heading = useRef<HTMLHeadingElement>(null)
  useLayoutEffect(() => setTitle(children), [children])
  // Before anybody can have gone on to a field: an effect after painting took the focus from it.
  useLayoutEffect(() => {
    if (focus && visits.peek() > 0) heading.current?.focus()
  }, [])
  return (
    <h1 ref={heading} tabIndex={-1}>
      {children}
    </h1>
  )
}

type HeadProps = { title: string; lead?: string | undefined; children?: ComponentChildren }

/** The title with what it is about, and the page's main action beside it. */
export const Head = ({ title, lead, children }: HeadProps) => (
  <header class="head">
    <div>
      <Title>{title}</Title>
      {lead && <p class="lead">{lead}</p>}
    </div>
    {children && <div class="actions">{children}</div>}
  </header>
)

type SectionProps = HeadProps & { actions?: ComponentChildren }

export const Section = ({ title, lead, actions, children }: SectionProps) => (
  <section class="section">
    <div class="section-head">
      <h2>{title}</h2>
      {actions && <div class="actions">{actions}</div>}
    </div>
    {lead && <p class="lead">{lead}</p>}
    {children}
  </section>
)
