import type { Operation } from '../history.ts'
import type { FaultFigures } from './figures.ts'
import type { Seen } from './watch.ts'

/** What the picture of one cell is drawn from: few enough numbers to be stored with its result. */
export interface Chart {
  /** When an operation was asked for, s, and how long it took, ms: a sample of those that were answered. */
  readonly points: readonly (readonly [number, number])[]
  /** Operations answered, by second. */
  readonly rates: readonly number[]
  readonly seen: readonly Seen[]
}

const POINTS_MAX = 4_000
const [WIDTH, LEFT] = [1160, 60]
const [SCATTER, RATES, STRIP] = [220, 90, 18]
const MS_MAX = 10_000
const ROLE_COLOURS: { readonly [role: string]: string } = { leader: '#1a7f37', follower: '#c6dbef', down: '#d73a49' }

export function chartOf(operations: readonly Operation[], seen: readonly Seen[]): Chart {
  const done = operations.filter(({ type }) => type === 'ok')
  const step = Math.max(1, Math.ceil(done.length / POINTS_MAX))
  const points = done.flatMap(({ invokedNs, completedNs }, at): [number, number][] =>
    at % step === 0 ? [[round(invokedNs / 1e9, 2), round((completedNs - invokedNs) / 1e6, 1)]] : [],
  )
  const rates: number[] = []
  for (const { completedNs } of done) {
    const second = Math.floor(completedNs / 1e9)
    while (rates.length <= second) rates.push(0)
    rates[second] = (rates[second] ?? 0) + 1
  }
  return { points, rates, seen: seen.filter(changed) }
}

/** The picture as SVG: latencies by time, rate below, then what each node said it was; faults are shaded bands. */
export function drawn({ points, rates, seen }: Chart, faults: readonly FaultFigures[]): string {
  const seconds = Math.max(1, rates.length, ...faults.map(({ toMs }) => toMs / 1000))
  const x = (second: number): number => round(LEFT + (second / seconds) * (WIDTH - LEFT), 1)
  const nodes = [...new Set(seen.map(({ node }) => node))].toSorted()
  const height = SCATTER + RATES + nodes.length * STRIP + 40
  const bands = faults.map(({ name, fromMs, toMs }, at) => {
    const [from, to] = [x(fromMs / 1000), x(toMs / 1000)]
    const label = `<text x="${from}" y="${10 + (at % 3) * 10}" font-size="9">${name}</text>`
    return `<rect x="${from}" y="0" width="${Math.max(1, to - from)}" height="${height - 20}" fill="#f6c344" opacity="0.25"/>${label}`
  })
  const dots = points.map(
    ([at, ms]) => `<circle cx="${x(at)}" cy="${latencyAt(ms)}" r="1" fill="#0b5fa5" opacity="0.5"/>`,
  )
  const grid = [1, 10, 100, 1000, 10_000].map(
    (ms) =>
      `<line x1="${LEFT}" x2="${WIDTH}" y1="${latencyAt(ms)}" y2="${latencyAt(ms)}" stroke="#ddd"/><text x="2" y="${latencyAt(ms) + 3}" font-size="10">${ms} ms</text>`,
  )
  const highest = Math.max(1, ...rates)
  const base = SCATTER + RATES
  const line = rates.map((rate, second) => `${x(second)},${round(base - (rate / highest) * (RATES - 10), 1)}`).join(' ')
  const strips = nodes.map((node, row) => strip(node, seen, { x, y: base + 8 + row * STRIP, seconds }))
  return [
    `<svg viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="sans-serif">`,
    ...[...grid, ...bands, ...dots, ...strips],
    `<polyline points="${line}" fill="none" stroke="#333"/><text x="2" y="${SCATTER + 12}" font-size="10">${highest}/s</text>`,
    `<text x="${WIDTH - 60}" y="${height - 6}" font-size="10">${Math.round(seconds)} s</text></svg>`,
  ].join('\n')
}

function strip(
  node: string,
  seen: readonly Seen[],
  { x, y, seconds }: { readonly x: (second: number) => number; readonly y: number; readonly seconds: number },
): string {
  const own = seen.filter((one) => one.node === node)
  const parts = own.map(({ atMs, role, term }, at) => {
    const [from, to] = [x(atMs / 1000), x((own[at + 1]?.atMs ?? seconds * 1000) / 1000)]
    const box = `<rect x="${from}" y="${y}" width="${Math.max(0.5, to - from)}" height="${STRIP - 4}" fill="${ROLE_COLOURS[role] ?? '#999'}"/>`
    return role === 'leader'
      ? `${box}<text x="${from + 1}" y="${y + 10}" font-size="9" fill="#fff">${term}</text>`
      : box
  })
  return `<text x="2" y="${y + 11}" font-size="10">${node}</text>${parts.join('')}`
}

/** Of what a node says again and again, the first time counts. */
function changed(one: Seen, at: number, all: readonly Seen[]): boolean {
  const before = all.slice(0, at).findLast(({ node }) => node === one.node)
  return before === undefined || before.role !== one.role || before.term !== one.term
}

/** From 1 ms at the bottom to 10 s at the top, each power of ten as high as the others. */
function latencyAt(ms: number): number {
  const share = Math.log10(Math.min(Math.max(ms, 1), MS_MAX)) / Math.log10(MS_MAX)
  return round(SCATTER - share * (SCATTER - 40), 1)
}

function round(value: number, digits: number): number {
  return Math.round(value * 10 ** digits) / 10 ** digits
}
