// The judged lines as a picture: how far each reaches, the line being its goal. Readable on light and on dark.
import type { Judged } from './lines'

const [width, rowHeight, top] = [920, 22, 34]
const [labelEnd, barStart, barEnd, most] = [450, 460, 790, 2]
const perGoal = (barEnd - barStart) / most

const style = `text{font:12px system-ui,sans-serif;fill:#1f2328}.dim{fill:#59636e}.met{fill:#1a7f37}.missed{fill:#bc4c00}
.goal{stroke:#59636e;stroke-dasharray:3 3}@media(prefers-color-scheme:dark){text{fill:#e6edf3}.dim{fill:#9198a1}
.met{fill:#3fb950}.missed{fill:#f0883e}.goal{stroke:#9198a1}}`

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

/** Lines without a goal or a measurement are left out. `reach` above twice the goal is drawn as twice. */
export const pictureOf = (heading: string, lines: readonly Judged[]): string => {
  const drawn = lines.filter(({ reach }) => reach !== null)
  const height = top + drawn.length * rowHeight + 26
  const goalAt = barStart + perGoal
  const bars = drawn.map(({ what, against, result, reach, verdict }, i) => {
    const y = top + i * rowHeight
    const length = Math.max(2, Math.min(reach ?? 0, most) * perGoal).toFixed(0)
    const label = `${escaped(what)} <tspan class="dim">${escaped(against)}</tspan>`
    return `<text x="${labelEnd}" y="${y + 12}" text-anchor="end">${label}</text>
<rect class="${verdict}" x="${barStart}" y="${y + 2}" width="${length}" height="12" rx="2"/>
<text class="dim" x="${barEnd + 8}" y="${y + 12}">${escaped(result.split(' (')[0] ?? '')}</text>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="Each measurement beside its goal">
<style>${style}</style>
<text class="dim" x="${goalAt}" y="20" text-anchor="end">the goal</text>
<text class="dim" x="${barEnd}" y="20" text-anchor="end">twice as good</text>
<path class="goal" d="M${goalAt} ${top - 6}V${height - 22}"/>
${bars.join('\n')}
<text class="dim" x="${width / 2}" y="${height - 6}" text-anchor="middle">${escaped(heading)}</text>
</svg>
`
}
