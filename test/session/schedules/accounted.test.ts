import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ScheduleStep } from '../../../src/codec/entry/payload.ts'
import { SchedulePlans } from '../../../src/node/propose/schedule-plans.ts'
import type { ScheduleOverlap } from '../../../src/session/schedule.ts'
import { sample } from '../../effort.ts'
import { MINUTE, world } from './schedule-world.ts'

const drawn = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('pass'), minutes: fc.integer({ min: 1, max: 40 }) }) },
  fc.record({ kind: fc.constant('away'), minutes: fc.integer({ min: 1, max: 300 }) }),
  fc.record({ kind: fc.constant('outage'), minutes: fc.integer({ min: 1, max: 200 }) }),
  fc.record({ kind: fc.constantFrom('pause', 'resume', 'stale', 'endFirst', 'endLast') }),
  fc.record({
    kind: fc.constant('put'),
    overlap: fc.constantFrom<ScheduleOverlap>('skip', 'bufferOne', 'bufferAll', 'allowAll', 'cancelOther'),
  }),
  fc.record({
    kind: fc.constant('backfill'),
    minutes: fc.integer({ min: -10, max: 400 }),
    long: fc.integer({ min: -5, max: 250 }),
  }),
)
type Drawn = { kind: string; minutes?: number; long?: number; overlap?: ScheduleOverlap }

/** A schedule of every minute that `every` divides, what is done to it, and the account of its occurrences. */
class Account {
  private readonly parts: ReturnType<typeof world>
  private readonly every: number
  /** Occurrences after it are owed, and so many before it. */
  private since: number
  private closed = 0
  /** Occurrences of backfills. */
  private asked = 0
  private overlap: ScheduleOverlap = 'skip'
  private led = true
  private readonly proposed: ScheduleStep[] = []

  /** Of runs by their number, some go on and some fail. */
  constructor(every: number, mood: number) {
    this.every = every
    this.parts = world((_context, { run }) => {
      if (run % 5 === mood) throw new Error('on purpose')
      return run % 3 === mood % 3 ? 'open' : undefined
    })
    this.since = this.parts.log.now
    this.put()
    this.lead()
  }

  take({ kind, minutes = 0, long = 0, overlap = 'skip' }: Drawn): void {
    const { log, run, status } = this.parts
    const { paused, open } = status()
    if (kind === 'pause' && !paused) this.closed += this.count(this.since, log.now)
    if (kind === 'resume' && paused) this.since = log.now
    if (kind === 'pause' || kind === 'resume') run(kind)
    else if (kind === 'backfill') this.backfill(log.now - minutes * MINUTE, long * MINUTE)
    else if (kind === 'stale') log.append('ScheduleNext', { steps: this.proposed.slice(-3) })
    else if (kind === 'endFirst') run('end', { run: open[0]?.run ?? 1 })
    else if (kind === 'endLast') run('end', { run: open.at(-1)?.run ?? 1 })
    else if (kind === 'put') {
      this.overlap = overlap
      this.put()
    } else log.advance(minutes * MINUTE)
    // Nobody leads, but there are entries.
    if (kind === 'away' || kind === 'outage') log.empty('Noop')
    // What nobody has computed by the next thing that happens stays owed.
    this.led = kind !== 'outage'
    if (this.led) this.lead()
  }

  check(): void {
    const { log, status, heard } = this.parts
    if (!this.led) return
    const { runs, skipped, missed, waiting, filling, backfills, next, paused } = status()
    const clock = heard.filter(({ backfilled }) => !backfilled).map(({ scheduledAt }) => scheduledAt)
    expect(heard.map(({ run }) => run)).toEqual(heard.map((_, at) => at + 1))
    expect(runs).toBe(heard.length)
    expect(clock).toEqual([...new Set(clock)].sort((left, right) => left - right))
    if (!paused) expect(next).toBeGreaterThan(log.now)
    const owed = this.closed + (paused ? 0 : this.count(this.since, log.now))
    expect(clock.length + skipped + missed + waiting.length).toBe(owed)
    const uncounted = backfills.reduce((sum, { after, upTo }) => sum + this.count(after, upTo), 0)
    expect(heard.length - clock.length + filling.length + uncounted).toBe(this.asked)
  }

  private put(): void {
    const cron = this.every === 1 ? '* * * * *' : `*/${this.every} * * * *`
    this.parts.run('put', { definition: { cron, catchUpMs: 90 * MINUTE, overlap: this.overlap } })
  }

  private backfill(from: number, long: number): void {
    const { log, run } = this.parts
    const reply = run('backfill', { from, to: from + long })
    const taken = reply.kind === 'outcome' && reply.outcome.kind === 'value' && reply.outcome.value === true
    if (taken) this.asked += this.count(from - 1, Math.min(from + long, log.now) - 1)
  }

  /** A leader does what is to be done; what it proposes may come again. */
  private lead(): void {
    const { log, lead } = this.parts
    this.proposed.push(...new SchedulePlans().steps(log.machine.schedules.awaited(9), log.now))
    lead()
  }

  /** Occurrences in (after, upTo]. */
  private count(after: number, upTo: number): number {
    const of = (time: number): number => Math.floor(time / (this.every * MINUTE))
    return of(upTo) - of(after)
  }
}

test('every occurrence runs, waits, is skipped or is missed: one of them, once, whatever is done meanwhile', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(1, 5, 30),
      fc.nat(4),
      fc.array(drawn, { minLength: 1, maxLength: 40 }),
      (every, mood, steps) => {
        const account = new Account(every, mood)
        for (const step of steps) {
          account.take(step)
          account.check()
        }
      },
    ),
    { numRuns: sample(60) },
  )
})
