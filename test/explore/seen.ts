import type { Sum } from './canonical.ts'

const EMPTY = -1

/** The sums of all worlds that were found, numbered from 0 in that order, each with the one it came from and how. */
export class Seen {
  count = 0
  private highs = new Int32Array(1 << 16)
  private lows = new Int32Array(1 << 16)
  private parents = new Int32Array(1 << 16)
  private actions = new Uint8Array(1 << 16)
  private table = new Int32Array(1 << 17).fill(EMPTY)

  /** False: it was there. */
  add({ high, low }: Sum, parent: number, action: number): boolean {
    const mask = this.table.length - 1
    let place = (high ^ Math.imul(low, 31)) & mask
    for (let at = this.table[place] as number; at !== EMPTY; at = this.table[place] as number) {
      if (this.highs[at] === high && this.lows[at] === low) return false
      place = (place + 1) & mask
    }
    if (this.count === this.highs.length) this.widen()
    const at = this.count
    this.count += 1
    this.highs[at] = high
    this.lows[at] = low
    this.parents[at] = parent
    this.actions[at] = action
    this.table[place] = at
    if (this.count * 2 > this.table.length) this.rehash()
    return true
  }

  /** Numbers of the actions that lead from the first world to that one. */
  pathTo(world: number): number[] {
    const path: number[] = []
    for (let at = world; at > 0; at = this.parents[at] as number) path.push(this.actions[at] as number)
    return path.reverse()
  }

  private widen(): void {
    const size = this.highs.length * 2
    const grown = (old: Int32Array): Int32Array<ArrayBuffer> => {
      const wider = new Int32Array(size)
      wider.set(old)
      return wider
    }
    this.highs = grown(this.highs)
    this.lows = grown(this.lows)
    this.parents = grown(this.parents)
    const actions = new Uint8Array(size)
    actions.set(this.actions)
    this.actions = actions
  }

  private rehash(): void {
    this.table = new Int32Array(this.table.length * 2).fill(EMPTY)
    const mask = this.table.length - 1
    for (let at = 0; at < this.count; at += 1) {
      let place = ((this.highs[at] as number) ^ Math.imul(this.lows[at] as number, 31)) & mask
      while (this.table[place] !== EMPTY) place = (place + 1) & mask
      this.table[place] = at
    }
  }
}
