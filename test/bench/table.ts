// The judged lines as Markdown, and a part of a file between its marks.
import type { Judged } from './lines'

const head = '| what | against | ours | theirs | median (range) | goal |\n|---|---|--:|--:|---|---|'
const cell = (text: string) => text.replaceAll('|', '\\|').replace(/\s+/g, ' ').trim()

const row = ({ what, against, ours, theirs, result, goal, verdict }: Judged): string => {
  const kept = verdict === 'told' ? '' : verdict === 'met' ? goal : `${goal}, ${verdict}`
  return `| ${[what, against, ours, theirs, result, kept].map(cell).join(' | ')} |`
}

/** `heading` says when, where and with what it was measured. */
export const markdownOf = (heading: string, lines: readonly Judged[]): string =>
  `${heading}\n\n${[head, ...lines.map(row)].join('\n')}\n`

const marks = ['<!-- bench -->', '<!-- /bench -->'] as const

/** `text` with what stands between its marks replaced. @throws Error where it has no marks */
export const putBetweenMarks = (text: string, part: string): string => {
  const [from, to] = [text.indexOf(marks[0]) + marks[0].length, text.indexOf(marks[1])]
  if (from < marks[0].length || to < from) throw new Error(`There is no ${marks.join(' … ')} to write between`)
  return `${text.slice(0, from)}\n${part}${text.slice(to)}`
}
