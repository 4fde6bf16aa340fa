// A mail made of our words: text and HTML that say the same, with nothing to fetch from anywhere.
import { showCode } from '../../lib/code'
import { escapeHtml } from '../../lib/html'
import type { Template } from './store'
import { type Locale, shared, words } from './strings'

/** What a mail tells: a code and link to redeem, or facts alone. Instants are ms; `link` is whole. */
export type Letter = {
  code?: string
  link: string | null
  /** What asked, or signed in. */
  label?: string
  from?: string | null
  at?: number
  until?: number
  /** Name of a workspace: a stranger's words. */
  workspace?: string
}

// So that nothing that came with a request begins a line, a header or a mark-up of its own.
const oneLine = (text: string, length = 80) => text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, ' ').slice(0, length)
// A name that mail programs would turn into a link loses what makes it one.
const nameAlone = (text: string) => oneLine(text.replace(/[.:/\\@<>]+/g, ' '), 40).trim()

/** `2030-01-01 00:00 UTC`. */
const minute = (at: number | undefined) =>
  at === undefined ? '' : `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`

const style = {
  body: 'margin:0 auto;max-width:32rem;padding:24px;font:16px/1.5 system-ui,sans-serif;color:#1a1a1a',
  code: 'margin:8px 0 16px;font:600 28px/1.2 ui-monospace,Menlo,Consolas,monospace;letter-spacing:.1em',
  link: 'display:inline-block;padding:10px 18px;border-radius:6px;background:#1a1a1a;color:#fff;text-decoration:none',
  small: 'font-size:14px;color:#595959',
}

type Block = { is: 'plain' | 'small' | 'code'; text: string } | { is: 'link'; lead: string; text: string; href: string }

const asText = (block: Block) =>
  block.is === 'link' ? [block.lead, block.href].filter(Boolean).join('\n') : block.text
const asHtml = (block: Block) => {
  if (block.is !== 'link') {
    const look = block.is === 'plain' ? '' : ` style="${style[block.is]}"`
    return `<p${look}>${escapeHtml(block.text)}</p>`
  }
  const lead = block.lead && `<p>${escapeHtml(block.lead)}</p>\n`
  return `${lead}<p><a href="${escapeHtml(block.href)}" style="${style.link}">${escapeHtml(block.text)}</a></p>`
}

/** The mail of a template. `host`: where to type the code; `wanted`: a language, English where it is none of ours. */
export const compose = (
  template: Template,
  letter: Letter,
  { host, wanted }: { host: string; wanted: string },
): { subject: string; text: string; html: string } => {
  const locale: Locale = wanted === 'zh' ? 'zh' : 'en'
  const values: Record<string, string> = {
    ...{ host, at: minute(letter.at), until: minute(letter.until), workspace: nameAlone(letter.workspace ?? '') },
    label: oneLine(letter.label ?? ''),
    from: oneLine(letter.from ?? shared.unknown[locale]),
  }
  const say = (text: Record<Locale, string>) => text[locale].replace(/\{(\w+)\}/g, (_, name: string) => values[name]!)
  const { subject, lead, button, note } = words[template]
  const { code, link } = letter
  const blocks: Block[] = [
    { is: 'plain', text: say(lead) },
    ...(code === undefined
      ? []
      : ([
          { is: 'code', text: showCode(code) },
          { is: 'plain', text: say(shared.type) },
        ] as const)),
    ...(link && button
      ? [{ is: 'link' as const, lead: code === undefined ? '' : say(shared.link), text: say(button), href: link }]
      : []),
    ...(code === undefined ? [] : [{ is: 'small' as const, text: say(shared.asked) }]),
    { is: 'small', text: say(note) },
  ]
  return {
    subject: say(subject),
    text: `${blocks.map(asText).join('\n\n')}\n`,
    html: `<!doctype html>
<html lang="${locale}"><head><meta charset="utf-8"><title>${escapeHtml(say(subject))}</title></head>
<body style="${style.body}">
${blocks.map(asHtml).join('\n')}
</body></html>
`,
  }
}
