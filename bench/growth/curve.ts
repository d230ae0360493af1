import type { Spread } from '../peers/spread.ts'

/** One point of a curve. */
export interface CurvePoint {
  /** Where it stands, as the axis names it. */
  readonly label: string
  readonly y: Spread
}

/** A curve with its words. */
export interface Curve {
  readonly title: string
  readonly xTitle: string
  readonly yTitle: string
  readonly points: readonly CurvePoint[]
}

const SIZE = { width: 640, height: 360 }
const INNER = { left: 76, right: 20, top: 44, bottom: 56 }
const Y_STEPS_MAX = 6

/**
 * The curve as an SVG of a few kilobytes without a script: medians joined by a line, ranges as bars, the points at equal
 * distances (their labels say where they stand), the other axis from 0. The same points give the same bytes.
 */
export function curveSvg({ title, xTitle, yTitle, points }: Curve): string {
  const step = stepOf(Math.max(1, ...points.map(({ y }) => y.max)))
  const top = step * Math.ceil(Math.max(1, ...points.map(({ y }) => y.max)) / step)
  const { left, right, top: above, bottom } = INNER
  const [across, down] = [SIZE.width - left - right, SIZE.height - above - bottom]
  const xOf = (at: number): number => tenth(left + (across * (at + 0.5)) / Math.max(1, points.length))
  const yOf = (value: number): number => tenth(above + down * (1 - value / top))
  const lines = Array.from({ length: Math.round(top / step) + 1 }, (_, at) => at * step).map(
    (value) =>
      `<path class="grid" d="M${left} ${yOf(value)}H${SIZE.width - right}"/>` +
      `<text x="${left - 8}" y="${yOf(value) + 4}" text-anchor="end">${shown(value)}</text>`,
  )
  const bars = points.map(
    ({ y }, at) =>
      `<path class="range" d="M${xOf(at)} ${yOf(y.min)}V${yOf(y.max)}m-5 0h10m-5 0V${yOf(y.min)}m-5 0h10"/>`,
  )
  const dots = points.map(
    ({ label, y }, at) =>
      `<circle cx="${xOf(at)}" cy="${yOf(y.median)}" r="4"/>` +
      `<text x="${xOf(at) + 8}" y="${yOf(y.median) - 8}">${shown(y.median)}</text>` +
      `<text x="${xOf(at)}" y="${SIZE.height - bottom + 20}" text-anchor="middle">${escaped(label)}</text>`,
  )
  const joined = points.map(({ y }, at) => `${xOf(at)},${yOf(y.median)}`).join(' ')
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE.width} ${SIZE.height}" role="img" font-family="sans-serif" font-size="12">`,
    `<title>${escaped(title)}</title>`,
    STYLE,
    `<rect width="${SIZE.width}" height="${SIZE.height}" fill="#fff"/>`,
    `<text x="${left}" y="22" font-size="15">${escaped(title)}</text>`,
    ...lines,
    ...bars,
    `<polyline points="${joined}"/>`,
    ...dots,
    `<text x="${left + across / 2}" y="${SIZE.height - 12}" text-anchor="middle">${escaped(xTitle)}</text>`,
    `<text transform="translate(16 ${above + down / 2}) rotate(-90)" text-anchor="middle">${escaped(yTitle)}</text>`,
    '</svg>',
    '',
  ].join('\n')
}

const STYLE =
  '<style>text{fill:#333}.grid{stroke:#ddd}.range{stroke:#7aa6d6;fill:none}polyline{stroke:#1f5fa8;fill:none;stroke-width:2}circle{fill:#1f5fa8}</style>'

/** 1, 2 or 5 times a power of ten, so that the axis has six steps at most. */
function stepOf(most: number): number {
  const least = most / Y_STEPS_MAX
  const power = 10 ** Math.floor(Math.log10(least))
  return power * ([1, 2, 5, 10].find((times) => times * power >= least) ?? 10)
}

/** `34,900` as `34.9k`. */
function shown(value: number): string {
  if (value < 10_000) return String(tenth(value))
  return `${tenth(value / 1000)}k`
}

const tenth = (value: number): number => Math.round(value * 10) / 10
const ESCAPES: { readonly [character: string]: string } = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const escaped = (text: string): string => text.replace(/[&<>"]/g, (character) => ESCAPES[character] ?? character)
