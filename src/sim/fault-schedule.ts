import type { NetworkWeather } from './world/simulated-network.ts'

/** One fault of a seed. */
export interface Strike {
  /** Among all that the seed draws, whether they happen or not. */
  readonly number: number
  /** True time, in microseconds; 0: all the time. */
  readonly at: number
  /** What happens: `n2 crashes`. */
  readonly what: string
}

/**
 * Which of a seed's faults happen: all of them, or those that are kept. Everything is drawn all the same, so that those that
 * are kept stay what they are, and where they are.
 */
export class FaultSchedule {
  /** What has happened, in order. */
  readonly struck: Strike[] = []
  private readonly numbers: ReadonlySet<number> | null
  private drawn = 0

  /** @param kept numbers of the faults that happen; null: all. */
  constructor(kept: Iterable<number> | null = null) {
    this.numbers = kept === null ? null : new Set(kept)
  }

  /** Does it, unless it is not kept. */
  strike(at: number, what: string, act: () => void): void {
    const number = this.drawn
    this.drawn += 1
    if (this.numbers !== null && !this.numbers.has(number)) return
    this.struck.push({ number, at, what })
    act()
  }

  /** What was drawn, with as much of the network's weather as is kept. */
  kept<Drawn extends { readonly network: NetworkWeather }>(drawn: Drawn): Drawn {
    const { network } = drawn
    const weather = { ...network, loss: 0, duplication: 0, straggler: 0 }
    for (const [name, what] of WEATHER) {
      if (network[name] === 0) continue
      this.strike(0, `${Math.round(network[name] * 100)} % of the frames are ${what}`, () => {
        weather[name] = network[name]
      })
    }
    return { ...drawn, network: weather }
  }
}

const WEATHER = [
  ['loss', 'lost'],
  ['duplication', 'doubled'],
  ['straggler', 'late'],
] as const
