import { Random } from '../../base/random.ts'
import type { Value } from '../../codec/value/value.ts'
import { Violation } from '../checkers/violation.ts'
import type { SessionWorld } from '../clients/command-session.ts'
import type { Asked } from './board-history.ts'
import type { Bounds, Page, Post, Told } from './board-machine.ts'
import { Visitor } from './visitor.ts'
import { PATIENT_MS, type Witnesses } from './witnesses.ts'

const MILLISECOND = 1000
/** Names that are few, so that equal fields meet; beyond the basic plane text is ordered by code point, not by unit. */
const OWNERS = ['ada', 'bob', 'b', '', 'ﾯ', '\u{1f98a}'] as const
const TAGS = ['new', 'n', 'sale', '\uffee', '\u{1f600}', ''] as const
const PRICES = [-1.5, -1, 0, 0.25, 3, 1_000_000] as const

/** Everybody who uses the board in one seed. */
export class Visitors {
  private readonly random: Random
  private readonly world: SessionWorld
  private readonly witnesses: Witnesses
  private readonly visitors = new Set<Visitor>()
  /** What is subscribed to, by many at a time. */
  private readonly watched: readonly Asked[]
  private readonly inFlight: number
  private readonly postsMax: number
  /** Chance that a notice is handled late, and that it is not before the faults are over. */
  private readonly late: number
  private readonly deaf: number
  private opened = 0
  private acknowledged = 0
  /** Visitors that have something left to do. */
  private busy = 0
  /** Handlers that wait for the end of the faults. */
  private asleep: (() => void)[] = []
  private healed = false

  constructor(parts: { readonly random: Random; readonly world: SessionWorld; readonly witnesses: Witnesses }) {
    const { random, world, witnesses } = parts
    this.random = random
    this.world = world
    this.witnesses = witnesses
    this.postsMax = random.pick([3, 10, 30])
    this.watched = Array.from({ length: random.between(2, 5) }, () => this.question())
    this.inFlight = random.pick([1, 4, 16])
    this.late = random.pick([0, 0.1, 0.3])
    this.deaf = random.pick([0, 0.02, 0.1])
  }

  /** Sessions that may be ended by an operator: those of visitors who are here. */
  get sessions(): readonly number[] {
    return [...this.visitors].map(({ session }) => session).filter((session) => session > 0)
  }

  get acks(): number {
    return [...this.visitors].reduce((sum, { acks }) => sum + acks, this.acknowledged)
  }

  /** All is answered, and nobody will do more. */
  get quiet(): boolean {
    return this.busy === 0 && [...this.visitors].every(({ pending }) => pending === 0)
  }

  /** Every subscriber knows the answer of now. */
  get current(): boolean {
    return [...this.visitors].every(({ ledgers }) => ledgers.every((ledger) => ledger.current))
  }

  facts(): { readonly [name: string]: Value } {
    const behind = [...this.visitors].filter(({ ledgers }) => ledgers.some((ledger) => !ledger.current))
    const pending = [...this.visitors].reduce((sum, visitor) => sum + visitor.pending, 0)
    return { busy: this.busy, pending, behind: behind.map(({ name }) => name) }
  }

  open(): void {
    for (let count = this.random.between(2, 6); count > 0; count -= 1) this.join(this.random.between(30, 300))
  }

  /** The faults are over: whoever has not handled a notice does so now. */
  wake(): void {
    this.healed = true
    for (const end of this.asleep) end()
    this.asleep = []
  }

  private join(steps: number): void {
    const { random } = this
    this.opened += 1
    this.busy += 1
    const fork = new Random(random.uint32())
    const state = { left: steps, underWay: 0, done: false, subscriptions: [] as (() => void)[] }
    const visitor = new Visitor({
      name: `visitor-${this.opened}`,
      world: this.world,
      random: fork,
      witnesses: this.witnesses,
      handling: (end) => this.handle(end),
      timeoutMs: random.chance(0.3) ? random.between(1500, 4000) : PATIENT_MS,
      ready: () => {
        for (let lane = 0; lane < this.inFlight; lane += 1) this.next(visitor, state)
      },
      over: () => {
        this.visitors.delete(visitor)
        this.acknowledged += visitor.acks
        // Who was sent away comes again.
        if (!state.done) {
          this.busy -= 1
          if (!this.healed && state.left > 0) this.join(state.left)
        }
        state.done = true
      },
    })
    this.visitors.add(visitor)
  }

  private handle(end: () => void): void {
    const { random, world, healed } = this
    if (!healed && random.chance(this.deaf)) this.asleep.push(end)
    else if (!healed && random.chance(this.late)) world.scheduler.after(random.below(3000 * MILLISECOND), end)
    else end()
  }

  private next(visitor: Visitor, state: Steps): void {
    if (state.done) return
    if (state.left === 0) {
      if (state.underWay === 0) this.finish(visitor, state)
      return
    }
    const { random } = this
    state.left -= 1
    state.underWay += 1
    const go = (): void => {
      const answered = (): void => {
        state.underWay -= 1
        this.next(visitor, state)
      }
      if (state.done) answered()
      else this.step(visitor, state, answered)
    }
    if (random.chance(0.5)) go()
    else this.world.scheduler.after(random.below(60 * MILLISECOND), go)
  }

  /** It stays to listen, takes its leave, or vanishes. */
  private finish(visitor: Visitor, state: Steps): void {
    const { random } = this
    if (state.done) return
    if (random.chance(0.6)) {
      state.done = true
      this.busy -= 1
    } else if (!this.healed && visitor.impatient && random.chance(0.4)) visitor.vanish()
    else visitor.leave()
  }

  private step(visitor: Visitor, state: Steps, answered: () => void): void {
    const { random } = this
    const drawn = random.below(100)
    if (drawn < 55) this.write(visitor, answered)
    else if (drawn < 85) {
      visitor.ask(this.question(), random.pick(['linearizable', 'sequential', 'stale'] as const), answered)
    } else {
      const end = state.subscriptions.length > 2 ? state.subscriptions.shift() : undefined
      end?.()
      state.subscriptions.push(visitor.subscribe(random.pick(this.watched)))
      answered()
    }
  }

  private write(visitor: Visitor, answered: () => void): void {
    const { random } = this
    const drawn = random.below(100)
    const input = { id: this.id(), post: this.post() }
    if (drawn < 60) return visitor.send('put', { ...input, told: random.chance(0.5) ? this.told() : null }, answered)
    if (drawn < 75) return visitor.send('take', input.id, answered)
    if (drawn < 85) return visitor.send('reprice', { owner: input.post.owner, by: random.pick(PRICES) }, answered)
    if (drawn < 92) return visitor.send('regret', { ...input, told: this.told() }, answered)
    visitor.send('clear', random.pick(TAGS), (left) => {
      if (left !== null && left !== 0) throw new Violation('an index shows what its own command wrote', { left })
      answered()
    })
  }

  private told(): Told {
    const { random } = this
    return {
      kind: random.pick(['plain', 'hint', 'latest']),
      attemptsMax: random.pick([null, null, 1, 3]),
      withinMs: random.pick([null, null, 300, 2000]),
    }
  }

  private id(): string {
    return `p${this.random.below(this.postsMax)}`
  }

  private post(): Post {
    const { random } = this
    const tag = random.chance(0.2) ? null : random.pick(TAGS)
    return { owner: random.pick(OWNERS), price: random.pick(PRICES), tag, at: random.between(1, 50) }
  }

  private question(): Asked {
    const { random } = this
    if (random.chance(0.25)) return { query: 'one', input: this.id() }
    const bounds = this.bounds()
    if (random.chance(0.25)) return { query: 'count', input: bounds }
    const page: Page = {
      ...bounds,
      limit: random.pick([1, 3, 100]),
      reverse: random.chance(0.5),
      after: random.chance(0.4) ? this.place() : null,
    }
    return { query: 'page', input: page }
  }

  /** Of a row that may be there, or may have been. A row without a tag is in no place of that index. */
  private place(): Page['after'] {
    return [this.id(), { ...this.post(), tag: this.random.pick(TAGS) }]
  }

  private bounds(): Bounds {
    const { random } = this
    const index = random.pick(['byOwner', 'byPrice', 'byTag'] as const)
    return {
      index,
      prefix: random.chance(0.5) ? this.fields(index) : [],
      from: random.chance(0.3) ? this.fields(index) : null,
      to: random.chance(0.3) ? this.fields(index) : null,
    }
  }

  private fields(index: Bounds['index']): Bounds['prefix'] {
    const { random } = this
    const price = random.pick(PRICES)
    if (index === 'byPrice') return [price]
    const [first, second] =
      index === 'byOwner' ? [random.pick(OWNERS), random.between(1, 50)] : [random.pick(TAGS), price]
    return random.chance(0.6) ? [first] : [first, second]
  }
}

/** What a visitor has left to do. */
interface Steps {
  left: number
  underWay: number
  done: boolean
  readonly subscriptions: (() => void)[]
}
