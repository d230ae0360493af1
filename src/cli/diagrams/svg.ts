import type { Drawable } from '../../machine/index.ts'
import { LINE_HEIGHT, placed, type PlacedEdge, type PlacedFrame, type PlacedState, type Point } from './layout.ts'

/** It brings its own paper, so that it reads on a page of any colour; who reads on dark paper gets a dark one. */
const STYLE = [
  '.machine text { font: 13px ui-monospace, Menlo, Consolas, monospace; text-anchor: middle; dominant-baseline: central }',
  '.machine text { fill: #1f2328 }',
  '.machine .paper { fill: #ffffff }',
  '.machine .state { fill: #f3f5f7; stroke: #57606a; stroke-width: 1.2 }',
  '.machine .inner { fill: none; stroke: #57606a }',
  '.machine .mark { fill: #57606a }',
  '.machine .step { fill: none; stroke: #57606a; stroke-width: 1.2 }',
  '.machine .frame { fill: none; stroke: #8c959f; stroke-dasharray: 5 3 }',
  '.machine .label { stroke: #ffffff; stroke-width: 5; stroke-linejoin: round; paint-order: stroke }',
  '@media (prefers-color-scheme: dark) {',
  '  .machine text { fill: #e6edf3 }',
  '  .machine .paper { fill: #0d1117 }',
  '  .machine .state { fill: #1c2128; stroke: #9198a1 }',
  '  .machine .inner, .machine .step { stroke: #9198a1 }',
  '  .machine .mark { fill: #9198a1 }',
  '  .machine .frame { stroke: #57606a }',
  '  .machine .label { stroke: #0d1117 }',
  '}',
]

/**
 * A table as a picture: one SVG element that loads nothing. Equal tables give equal bytes. What ends has a double border, as
 * in Graphviz. Ends with a line break.
 */
export function svg(table: Drawable): string {
  const { width, height, states, edges, frames } = placed(table)
  const size = `${number(width)} ${number(height)}`
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" class="machine" role="img" viewBox="0 0 ${size}" width="${number(width)}" ` +
      `height="${number(height)}">`,
    `<title>${escaped(`States: ${table.states.join(', ')}`)}</title>`,
    '<style>',
    ...STYLE,
    '</style>',
    '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto">',
    '<path class="mark" d="M0 0 10 5 0 10z"/></marker></defs>',
    '<rect class="paper" width="100%" height="100%"/>',
    ...frames.map(frame),
    ...edges.map((edge) => `<path class="step" marker-end="url(#tip)" d="${line(edge)}"/>`),
    ...states.map(box),
    // Above all lines: a label that a line crosses stays readable.
    ...edges.flatMap(label),
    '</svg>',
  ]
  return `${lines.join('\n')}\n`
}

function box(state: PlacedState): string {
  const { shape, x, y, width } = state
  if (shape === 'mark') return `<circle class="mark" cx="${number(x)}" cy="${number(y)}" r="${number(width / 2)}"/>`
  const outer = shape === 'title' ? '' : rectangle('state', state, 0)
  const inner = shape === 'end' ? rectangle('inner', state, 3) : ''
  return `${outer}${inner}${texts(state)}`
}

const frame = (place: PlacedFrame): string => rectangle('frame', place, 0)

function rectangle(shape: string, { x, y, width, height }: PlacedFrame, inset: number): string {
  const [left, top] = [x - width / 2 + inset, y - height / 2 + inset].map(number)
  const [wide, high] = [width - 2 * inset, height - 2 * inset].map(number)
  return `<rect class="${shape}" x="${left}" y="${top}" width="${wide}" height="${high}" rx="${8 - inset}"/>`
}

function texts({ text, x, y }: PlacedState): string {
  const first = y - ((text.length - 1) * LINE_HEIGHT) / 2
  return text
    .map((line, at) => `<text x="${number(x)}" y="${number(first + at * LINE_HEIGHT)}">${escaped(line)}</text>`)
    .join('')
}

function label({ edge, at }: PlacedEdge): string[] {
  if (edge.label === null) return []
  return [`<text class="label" x="${number(at.x)}" y="${number(at.y)}">${escaped(edge.label)}</text>`]
}

/** Through every point, upright at each: steps run from layer to layer. A loop's inner points pull its line to them. */
function line({ edge, points }: PlacedEdge): string {
  const [first, ...rest] = points
  if (first === undefined) return ''
  if (edge.from === edge.to) return `M${pair(first)} C${rest.map(pair).join(' ')}`
  let from = first
  return rest.reduce(
    (path, to) => {
      const y = (from.y + to.y) / 2
      const bend = `${path} C${pair({ x: from.x, y })} ${pair({ x: to.x, y })} ${pair(to)}`
      from = to
      return bend
    },
    `M${pair(first)}`,
  )
}

const pair = ({ x, y }: Point): string => `${number(x)} ${number(y)}`

/** One decimal: less than a pixel, and the last bits of a quotient are nobody's picture. */
const number = (value: number): string => String(Math.round(value * 10) / 10)

/** Control characters and halves of pairs, which XML has no way to say, as the sign for what cannot be shown. */
const escaped = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll(/[\p{Cc}\p{Cs}\ufffe\uffff]/gu, '\ufffd')
