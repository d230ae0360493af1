import { lowerBoundBy } from '../../base/binary-search.ts'

/** Indexes of ended sessions that the list may hold beside those of live ones. */
const ENDED_MAX = 64

/** The live sessions by their indexes. */
export interface Indexes {
  readonly size: number
  has(index: number): boolean
  keys(): Iterable<number>
}

/**
 * The indexes of live sessions in rising order, for whoever looks through them page by page. Made when it is first asked for,
 * and kept up from then on: a node that nobody asks pays nothing.
 */
export class IndexList {
  /** Rising; those of ended sessions stay until they are many. Null: nobody has asked yet. */
  private rising: number[] | null = null

  /** A session was opened, or restored: then in any order. `live`: how many there are. */
  add(index: number, live: number): void {
    const { rising } = this
    if (rising === null) return
    // Nobody has looked for so long that most of those in the list have ended: whoever looks again has it made anew.
    if (index > (rising.at(-1) ?? 0) && rising.length <= 2 * live + ENDED_MAX) rising.push(index)
    else this.rising = null
  }

  /** Those above `index`, rising. `live`: all of them, by index. Not to be gone on with once one was added or ended. */
  *after(index: number, live: Indexes): Generator<number> {
    let { rising } = this
    if (rising === null || rising.length > 2 * live.size + ENDED_MAX) {
      rising = [...live.keys()].sort((left, right) => left - right)
      this.rising = rising
    }
    for (let at = lowerBoundBy(rising, index + 1, itself); at < rising.length; at += 1) {
      const next = rising[at] as number // within the list
      if (live.has(next)) yield next
    }
  }
}

const itself = (index: number): number => index
