import type { Millis } from '../../base/brand.ts'

/*
 * When schedules are to run, by looking at the clock on the wall minute by minute, and by tables of when it was put forward or
 * back: nothing of the product's own reading of expressions and zones is used.
 */

const MINUTE = 60_000
const DAY_MINUTES = 24 * 60

/** What a clock on a wall shows. */
interface Shown {
  readonly minute: number
  readonly hour: number
  /** 0 is Sunday. */
  readonly weekday: number
}

/** An expression, and by hand whether it is for a time that a clock shows. */
export interface Expression {
  readonly cron: string
  /** It runs whenever a clock shows such a time, and not once for each. */
  readonly everyHour: boolean
  readonly fits: (shown: Shown) => boolean
}

const EVERY_MINUTE: readonly Expression[] = [
  { cron: '* * * * *', everyHour: true, fits: () => true },
  { cron: '*/2 * * * *', everyHour: true, fits: ({ minute }) => minute % 2 === 0 },
  { cron: '1-59/3 0-23 * * *', everyHour: false, fits: ({ minute }) => minute % 3 === 1 },
]
const EVERY_HOUR: readonly Expression[] = [
  { cron: '*/15 * * * *', everyHour: true, fits: ({ minute }) => minute % 15 === 0 },
  { cron: '0 * * * *', everyHour: true, fits: ({ minute }) => minute === 0 },
  { cron: '30 */2 * * *', everyHour: true, fits: ({ minute, hour }) => minute === 30 && hour % 2 === 0 },
  { cron: '0,30 1-3 * * *', everyHour: false, fits: ({ minute, hour }) => minute % 30 === 0 && hour >= 1 && hour <= 3 },
  { cron: '20 0-23 * * *', everyHour: false, fits: ({ minute }) => minute === 20 },
]
const EVERY_DAY: readonly Expression[] = [
  { cron: '30 1 * * *', everyHour: false, fits: ({ minute, hour }) => minute === 30 && hour === 1 },
  { cron: '30 2 * * *', everyHour: false, fits: ({ minute, hour }) => minute === 30 && hour === 2 },
  {
    cron: '0 2,3 * * sun',
    everyHour: false,
    fits: ({ minute, hour, weekday }) => at(minute, hour, [2, 3]) && weekday === 0,
  },
  {
    cron: '0 6,18 * * 1-5',
    everyHour: false,
    fits: ({ minute, hour, weekday }) => at(minute, hour, [6, 18]) && weekday % 6 > 0,
  },
]

/** How fast time goes in a seed: expressions that come about as often as its leaps, ms from the least to the longest leap. */
export const PACES: readonly {
  readonly expressions: readonly Expression[]
  readonly leapMs: readonly [number, number]
}[] = [
  { expressions: EVERY_MINUTE, leapMs: [5_000, 240_000] },
  { expressions: EVERY_HOUR, leapMs: [60_000, 5_400_000] },
  { expressions: EVERY_DAY, leapMs: [3_600_000, 72_000_000] },
]

function at(minute: number, hour: number, hours: readonly number[]): boolean {
  return minute === 0 && hours.includes(hour)
}

/** Minutes that a zone's clock is ahead of UTC, from instants on. */
const OFFSETS: { readonly [zone: string]: readonly (readonly [from: Millis, minutes: number])[] } = {
  UTC: [[0, 0]],
  '+05:30': [[0, 330]],
  'Europe/Berlin': [
    [0, 60],
    [1_774_746_000_000, 120],
    [1_792_890_000_000, 60],
  ],
  'America/New_York': [
    [0, -300],
    [1_772_953_200_000, -240],
    [1_793_512_800_000, -300],
  ],
  'Australia/Lord_Howe': [
    [0, 660],
    [1_775_314_800_000, 630],
    [1_791_041_400_000, 660],
  ],
}

/** Zones whose clocks are known here from March to December 2026, when all of it takes place. */
export const ZONES: readonly string[] = Object.keys(OFFSETS)

/** Instants at which one of these clocks is put forward or back, and one that is nothing special. */
export const MOMENTS: readonly Millis[] = [
  ...Object.values(OFFSETS).flatMap((offsets) => offsets.slice(1).map(([from]) => from)),
  1_781_481_600_000,
]

function wallOf(zone: string, instant: Millis): number {
  const offsets = OFFSETS[zone] ?? []
  const minutes = offsets.findLast(([from]) => from <= instant)?.[1] ?? 0
  return Math.floor(instant / MINUTE) + minutes
}

function shown(wall: number): Shown {
  const ofDay = wall % DAY_MINUTES
  // 1970-01-01 was a Thursday.
  return { minute: ofDay % 60, hour: Math.floor(ofDay / 60), weekday: (Math.floor(wall / DAY_MINUTES) + 4) % 7 }
}

/** All occurrences of an expression in a zone from an instant on, found as they are asked for. */
export class Occurrences {
  private readonly expression: Expression
  private readonly zone: string
  private readonly found: Millis[] = []
  private looked: Millis
  /** The latest time that the clock has shown so far. */
  private latest: number

  constructor({
    expression,
    zone,
    from,
  }: { readonly expression: Expression; readonly zone: string; readonly from: Millis }) {
    this.expression = expression
    this.zone = zone
    this.looked = Math.floor(from / MINUTE) * MINUTE
    this.latest = wallOf(zone, this.looked)
  }

  /** The first one after an instant that is not before `from`. */
  after(instant: Millis): Millis {
    while ((this.found.at(-1) ?? 0) <= instant) this.look()
    // As a rule it is asked for the newest ones.
    let at = this.found.length - 1
    while (at > 0 && (this.found[at - 1] ?? 0) > instant) at -= 1
    return this.found[at] ?? 0
  }

  /** Those in (after, upTo]. */
  between(after: Millis, upTo: Millis): readonly Millis[] {
    const all: Millis[] = []
    for (let next = this.after(after); next <= upTo; next = this.after(next)) all.push(next)
    return all
  }

  private look(): void {
    this.looked += MINUTE
    const { expression, zone, looked, latest } = this
    const wall = wallOf(zone, looked)
    if (expression.everyHour) {
      if (expression.fits(shown(wall))) this.found.push(looked)
      return
    }
    // Once for each time that the clock shows, or has gone past, for the first time.
    let comes = false
    for (let passed = latest + 1; passed <= wall; passed += 1) comes ||= expression.fits(shown(passed))
    if (comes) this.found.push(looked)
    this.latest = Math.max(latest, wall)
  }
}
