import { componentsOf, wayWithin } from './components.ts'
import { type Dependencies, REASON } from './dependencies.ts'

/** Transactions each of which must stand before the next, and the last before the first. */
export interface Cycle {
  /**
   * By Adya's names: `G0`, `G1c`, `G-single`, `G2`; with `-process` or `-realtime` where it takes such an order to close it.
   */
  readonly name: string
  readonly transactions: readonly number[]
}

const { ww, wr, rw, realtime } = REASON
/** What a cycle is called by the reason it needs besides those that it may have. The first that is found says the most. */
const KINDS = [
  { name: 'G0', needs: ww, besides: ww },
  { name: 'G1c', needs: wr, besides: ww | wr },
  { name: 'G-single', needs: rw, besides: ww | wr },
  { name: 'G2', needs: rw, besides: ww | wr | rw },
] as const
const ORDERS = [
  { suffix: '', order: 0 },
  { suffix: '-process', order: REASON.process },
  { suffix: '-realtime', order: REASON.process | realtime },
] as const

/**
 * Transactions that a search for one kind in one knot may pass, over all the edges that it starts from: some seconds. Of a
 * thousand transactions it tries a thousand edges, of ten thousand a hundred. It hides no knot: from the first edge that it
 * takes the last kind finds a cycle, because all of a knot stand before each other. At worst a cycle is not the shortest, or
 * is called by a kind that says less.
 */
const PASSED_MAX = 1_000_000

/**
 * Cycles of the dependencies, of each knot the shortest of each kind that is found within PASSED_MAX. Where the
 * values alone make some, those that need the order of processes or of time are not looked for, and G2 not where a knot has a
 * cycle of one rw.
 */
export function cyclesOf(dependencies: Dependencies): readonly Cycle[] {
  for (const { suffix, order } of ORDERS) {
    const knots = componentsOf(dependencies, ww | wr | rw | order)
    const cycles = knots.flatMap((knot) => cyclesIn(dependencies, knot, order))
    if (cycles.length > 0) return cycles.map(({ name, transactions }) => ({ name: `${name}${suffix}`, transactions }))
  }
  return []
}

function cyclesIn(dependencies: Dependencies, knot: ReadonlySet<number>, order: number): readonly Cycle[] {
  const cycles: Cycle[] = []
  for (const { name, needs, besides } of KINDS) {
    if (name === 'G2' && cycles.some((cycle) => cycle.name === 'G-single')) continue
    const transactions = shortest(dependencies, knot, { needs, besides: besides | order })
    if (transactions !== null) cycles.push({ name, transactions })
  }
  return cycles
}

function shortest(
  dependencies: Dependencies,
  knot: ReadonlySet<number>,
  { needs, besides }: { readonly needs: number; readonly besides: number },
): readonly number[] | null {
  let best: readonly number[] | null = null
  let starts = Math.ceil(PASSED_MAX / knot.size)
  for (const from of knot) {
    for (const [to, reasons] of dependencies[from] ?? []) {
      if ((reasons & needs) === 0 || !knot.has(to)) continue
      if (starts === 0) return best
      starts -= 1
      const back = wayWithin(dependencies, knot, { from: to, to: from, mask: besides })
      if (back !== null && (best === null || back.length < best.length)) best = back
      // No cycle is shorter.
      if (best?.length === 2) return best
    }
  }
  return best
}

/** `ww`, `wr+rw`: why one stands before the other. */
export function reasonsBetween(dependencies: Dependencies, from: number, to: number): string {
  const reasons = dependencies[from]?.get(to) ?? 0
  const names = Object.entries(REASON).filter(([, bit]) => (reasons & bit) !== 0)
  return names.map(([name]) => name).join('+')
}
