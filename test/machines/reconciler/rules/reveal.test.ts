import { describe, expect, test } from 'vitest'
import { breakerSkips, empathyTransition, revealable, type EmpathyStatus } from '../../../../src/machines/index.ts'

describe('domain.md §4.5 the reveal check', () => {
  test.each([
    ['READY', 'READY', false, true, true],
    ['READY', 'AWAITING_SHARING', false, false, false],
    ['READY', null, false, false, false],
    [null, null, false, false, false],
    ['READY', 'VALIDATED', true, true, false],
    ['READY', 'REVEALED', true, true, false],
    ['REFINING', 'READY', true, false, true],
    ['REVEALED', 'REVEALED', true, false, false],
  ] as const)('%s beside %s, first reveal %s: %s and %s', (one, other, first, a, b) => {
    expect(revealable(one, other, first)).toEqual({ a, b })
  })
})

/** One direction as far as reaching goes: its status, resubmissions up to the breaker, and whether it was offered. */
type Side = readonly [status: EmpathyStatus | null, resubmits: number, offered: boolean]
type Both = readonly [Side, Side, first: boolean]
type Rule = (moved: 0 | 1, both: Both) => Both

/** Counting goes on no further than the first resubmission that is not analysed. */
const COUNTED_MAX = 4

const shown = ([, resubmits, offered]: Side): Side => ['REVEALED', resubmits, offered]

/** Ours: after the first reveal READY is shown alone. */
const ours: Rule = (_moved, [a, b, first]) => {
  const show = revealable(a[0], b[0], first)
  return [show.a ? shown(a) : a, show.b ? shown(b) : b, first || show.a || show.b]
}

/** The other reading: what became READY waits until the other one is READY or VALIDATED, and nobody asks again. */
const waiting: Rule = (moved, both) => {
  const [a, b, first] = both
  const done = ([status]: Side): boolean => status === 'READY' || status === 'VALIDATED'
  if (both[moved][0] !== 'READY' || !done(a) || !done(b)) return both
  const shownIfReady = (side: Side): Side => (side[0] === 'READY' ? shown(side) : side)
  return [shownIfReady(a), shownIfReady(b), first || a[0] === 'READY' || b[0] === 'READY']
}

/** Every step that a direction may take by itself. */
function stepsOf([status, resubmits, offered]: Side, first: boolean): readonly Side[] {
  const by = (event: string): EmpathyStatus => {
    const step = empathyTransition(status ?? '', event)
    if ('error' in step) throw new Error(`${status} does not take ${event}`)
    return step.to
  }
  const to = (event: string): Side => [by(event), resubmits, offered]
  switch (status) {
    case null:
      return [['HELD', resubmits, offered]]
    case 'HELD':
      return [to('START_ANALYSIS')]
    case 'ANALYZING':
      return [to('NO_SIGNIFICANT_GAPS'), ...(offered ? [] : [[by('GAPS_DETECTED'), resubmits, true] as const])]
    case 'AWAITING_SHARING':
      return ['CONTEXT_SHARED', 'DECLINE_SHARING', 'OFFER_EXPIRED'].map(to)
    case 'REFINING': {
      const next = resubmits + 1
      const counted = Math.min(next, COUNTED_MAX)
      const analysed: Side = [by('RESUBMIT'), counted, offered]
      return [breakerSkips(next) ? ['READY', counted, offered] : analysed, to(first ? 'SKIP_POST' : 'SKIP_PRE')]
    }
    case 'REVEALED':
      return [to('VALIDATE'), to('VALIDATION_FEEDBACK_SENT')]
    default:
      return []
  }
}

/** All that can be reached from two directions without attempts, and how much of it cannot reach (VALIDATED, VALIDATED). */
function search(rule: Rule): { readonly reachable: number; readonly stuck: number } {
  const start: Both = [[null, 0, false], [null, 0, false], false]
  const found = new Map([[JSON.stringify(start), start]])
  const before = new Map<string, string[]>()
  for (const [key, both] of found) {
    for (const moved of [0, 1] as const) {
      for (const side of stepsOf(both[moved], both[2])) {
        const next = rule(moved, moved === 0 ? [side, both[1], both[2]] : [both[0], side, both[2]])
        const nextKey = JSON.stringify(next)
        const earlier = before.get(nextKey) ?? []
        earlier.push(key)
        before.set(nextKey, earlier)
        found.set(nextKey, next)
      }
    }
  }
  const ends = [...found].flatMap(([key, [a, b]]) => (a[0] === 'VALIDATED' && b[0] === 'VALIDATED' ? [key] : []))
  const reaching = new Set(ends)
  for (const key of reaching) for (const earlier of before.get(key) ?? []) reaching.add(earlier)
  return { reachable: found.size, stuck: found.size - reaching.size }
}

describe('domain.md §4.5 exhaustive search over both directions', () => {
  test('with our rule 1593 states are reachable, and from every one (VALIDATED, VALIDATED) is', () => {
    expect(search(ours)).toEqual({ reachable: 1593, stuck: 0 })
  })

  test('with the rule that waits for the other one there are 64 from which it is not', () => {
    expect(search(waiting).stuck).toBe(64)
  })
})
