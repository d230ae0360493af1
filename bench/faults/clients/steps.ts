import type { Random } from '../../../src/base/random.ts'
import type { Step, StepName } from '../history.ts'
import { ACCOUNTS } from '../verdict/model.ts'

export const WORKLOADS = ['register', 'bank', 'set', 'append', 'counter', 'requests', 'visits'] as const
export type WorkloadName = (typeof WORKLOADS)[number]

/** Registers of a run, and what they are called. */
export const REGISTERS = 16
export const registerName = (at: number): string => `r${at}`
const VALUES = 5
/** Keys of the same list or set go on under another name after so many elements: a read answers them all. */
const ELEMENTS_PER_KEY = 100
const LISTS = 4
const COUNTERS = 4
const AMOUNT_MAX = 30
const READ_SHARE = 0.4
/** Of the reads, those that go through the log as commands do. */
const LOGGED_READ_SHARE = 0.2

/** What one lane asks for, one step after the other; all that it asks is drawn from its generator. */
export class Steps {
  private readonly random: Random
  private readonly lane: number
  private number = 0

  constructor(lane: number, random: Random) {
    this.lane = lane
    this.random = random
  }

  next(workload: WorkloadName): Step {
    const { random } = this
    if (workload !== 'requests' && workload !== 'visits' && random.chance(READ_SHARE))
      return this.read(workload, random.chance(LOGGED_READ_SHARE))
    return { ...this.change(workload), id: this.nextId() }
  }

  /** `logged`: it goes through the log, as commands do. */
  read(workload: Exclude<WorkloadName, 'requests' | 'visits'>, logged: boolean): Step {
    const id = logged ? this.nextId() : ''
    return { ...NOTHING, id, f: `${workload}.read`, key: this.keyOf(workload) }
  }

  private change(workload: WorkloadName): Step {
    const { random } = this
    const key = this.keyOf(workload)
    const change = (f: StepName, rest: Partial<Step>): Step => ({ ...NOTHING, f, key, ...rest })
    switch (workload) {
      case 'register':
        return random.chance(0.5)
          ? change('register.write', { a: random.below(VALUES) })
          : change('register.cas', { a: random.below(VALUES), b: random.below(VALUES) })
      case 'bank':
        return change('bank.transfer', { a: random.between(1, AMOUNT_MAX), to: `a${random.below(ACCOUNTS)}` })
      case 'set':
        return change('set.add', { a: this.element() })
      case 'append':
        return change('append.append', { a: this.element() })
      case 'counter':
        return change('counter.add', { a: random.between(1, 9) })
      case 'requests':
        return change('requests.emit', {})
      case 'visits':
        return change('counter.add', { a: 1 })
      default:
        throw new Error(`there is no workload ${String(workload satisfies never)}`)
    }
  }

  private keyOf(workload: WorkloadName): string {
    const { random } = this
    const epoch = Math.floor(this.number / ELEMENTS_PER_KEY)
    switch (workload) {
      // Skewed: a few keys see most of the traffic, where operations meet.
      case 'register':
        return registerName(skewed(random, REGISTERS))
      case 'bank':
        return `a${skewed(random, ACCOUNTS)}`
      case 'set':
        return `s${epoch}`
      case 'append':
        return `l${epoch}-${skewed(random, LISTS)}`
      case 'counter':
        return `c${skewed(random, COUNTERS)}`
      case 'requests':
        return ''
      case 'visits':
        return `v${this.lane}`
      default:
        throw new Error(`there is no workload ${String(workload satisfies never)}`)
    }
  }

  /** No two steps of a run add the same one. */
  private element(): number {
    return this.number * 1000 + this.lane
  }

  private nextId(): string {
    this.number += 1
    return `${this.lane}:${this.number}`
  }
}

const NOTHING: Step = { id: '', f: 'register.read', key: '', a: 0, b: 0, to: '' }

/** Zipf's law with exponent 1 over [0, count): the first is drawn twice as often as the second. */
function skewed(random: Random, count: number): number {
  const weights = Array.from({ length: count }, (_, at) => 1 / (at + 1))
  let left = random.float() * weights.reduce((sum, weight) => sum + weight, 0)
  for (const [at, weight] of weights.entries()) {
    left -= weight
    if (left < 0) return at
  }
  return count - 1
}
