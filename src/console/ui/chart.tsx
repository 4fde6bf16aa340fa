// Charts, drawn by hand as SVG. What they show is said in words too.
import { t } from '../i18n'
import { count } from '../numbers'

export type Bar = { label: string; value: number; lost: number }

const [width, height, gap] = [600, 120, 3]

/** A round number at or above `most`, to measure against. */
const roof = (most: number): number => {
  const step = 10 ** Math.floor(Math.log10(Math.max(1, most)))
  return Math.max(1, Math.ceil(most / step) * step)
}

/** One bar a day; the part that was refused stands out. */
export const Bars = ({ bars, label }: { bars: readonly Bar[]; label: string }) => {
  const top = roof(Math.max(...bars.map(({ value }) => value)))
  const each = width / bars.length
  const tall = (value: number) => (value === 0 ? 0 : Math.max(2, (value / top) * height))
  return (
    <figure class="chart">
      <svg viewBox={`0 -4 ${width} ${height + 8}`} role="img" aria-label={label} preserveAspectRatio="none">
        {[0, 0.5, 1].map((part) => (
          <line key={part} class="grid-line" x1="0" x2={width} y1={height * part} y2={height * part} />
        ))}
        {bars.map(({ label: day, value, lost }, at) => (
          <g key={day}>
            <title>{t('usage.of_day', { day, count: value })}</title>
            <rect
              class="bar-all"
              x={at * each + gap / 2}
              y={height - tall(value)}
              width={each - gap}
              height={tall(value)}
            />
            <rect
              class="bar-lost"
              x={at * each + gap / 2}
              y={height - tall(lost)}
              width={each - gap}
              height={tall(lost)}
            />
          </g>
        ))}
      </svg>
      <figcaption>
        <span>{bars[0]?.label}</span>
        <span>{t('usage.most', { count: count(top) })}</span>
        <span>{bars.at(-1)?.label}</span>
      </figcaption>
    </figure>
  )
}

/** How much of something is used. */
export const Gauge = ({ part, label }: { part: number; label: string }) => (
  <svg
    class={part > 0.9 ? 'gauge full' : 'gauge'}
    viewBox="0 0 100 4"
    role="img"
    aria-label={label}
    preserveAspectRatio="none"
  >
    <rect class="gauge-all" width="100" height="4" />
    <rect class="gauge-used" width={Math.min(100, part > 0 ? Math.max(1, part * 100) : 0)} height="4" />
  </svg>
)
