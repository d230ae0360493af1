import { type SeedSource, type Workload, WORKLOADS } from './workloads.ts'

/** Seeds of each workload before it is the next one's turn, and before the clock is looked at, where minutes are asked for. */
const ROUND_SEEDS = 20
/** Of the core alone, whose seeds take some 40 ms each: between rounds threads wait for each other. */
const CORE_ROUND_SEEDS = 400

/** Which seeds are asked for. */
export interface AskedSeeds {
  /** `all`: each of them, one after the other. Absent: the counter, or all of them for a number of minutes. */
  readonly workload?: Workload | 'all'
  /** Path of a module whose machines run in place of the workload's. */
  readonly machines?: string
  /** Of each workload; not looked at where minutes are asked for. */
  readonly seeds: number
  /** First seed; the others follow it. */
  readonly seed: number
  /** Goes on for so long, from seed to seed. */
  readonly minutes?: number
}

/** Seeds that run together: `[first, first + count)`, of one workload. */
export interface SeedRange extends SeedSource {
  readonly first: number
  readonly count: number
}

/** What to run, one range after the other. `isOver` tells whether the minutes have passed, and is asked after each round. */
export function* rangesOf(asked: AskedSeeds, isOver: () => boolean): Generator<SeedRange, void> {
  const { seeds, seed, minutes, machines } = asked
  const workload = asked.workload ?? (minutes === undefined ? 'counter' : 'all')
  const workloads = workload === 'all' ? WORKLOADS : [workload]
  const round = workload === 'core' ? CORE_ROUND_SEEDS : ROUND_SEEDS
  const count = minutes === undefined ? seeds : round
  for (let first = seed; ; first += count) {
    for (const each of workloads) yield { workload: each, machines, first, count }
    if (minutes === undefined || isOver()) return
  }
}
