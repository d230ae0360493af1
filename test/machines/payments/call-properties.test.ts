import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MINUTE_MS } from '../../../src/base/time.ts'
import { type AuditRecord, brokenAt, FIRST_HASH } from '../../../src/machines/payments/change/audit.ts'
import {
  type Entity,
  entityTransition,
  INITIAL_TRIPLE,
  isTerminalSession,
} from '../../../src/machines/payments/facts/states.ts'
import { sample } from '../../effort.ts'
import { codec } from '../../session/log.ts'
import { ADMIN, CLIENT, PRICE, THERAPIST, WORKER, World } from './world.ts'

/** The rows of domain.md §3.3 from `ready` on: what commands and timers reach, `transition` aside. */
const REACHABLE = [
  'confirmed/ready/not_started',
  'confirmed/ready/waiting_for_participants',
  'confirmed/ready/failed',
  'confirmed/in_progress/waiting_for_participants',
  'confirmed/in_progress/active',
  'confirmed/in_progress/failed',
  'confirmed/completed/ended',
  'refunded/cancelled/not_started',
  'refunded/cancelled/ended',
  'confirmed/no_show_client/not_started',
  'confirmed/no_show_client/ended',
  'refunded/no_show_therapist/not_started',
  'refunded/no_show_therapist/ended',
]

interface Sent {
  readonly by: string
  readonly command: string
  readonly more?: { readonly [field: string]: string }
}

/** What may happen at the door of a call; what its state does not allow is refused and changes nothing. */
const sent: fc.Arbitrary<Sent> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ by: fc.constantFrom(CLIENT, THERAPIST), command: fc.constant('joinVideo') }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      by: fc.constantFrom(CLIENT, THERAPIST),
      command: fc.constantFrom('leaveVideo', 'retryVideo', 'retryVideo'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      by: fc.constantFrom(CLIENT, THERAPIST, WORKER),
      command: fc.constant('reportVideoFailure'),
      more: fc.constant({ detail: 'no sound' }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Sent>(
      { by: CLIENT, command: 'endSession' },
      { by: CLIENT, command: 'cancel', more: { reason: 'other' } },
      { by: THERAPIST, command: 'cancel', more: { reason: 'illness' } },
      { by: CLIENT, command: 'markNoShow', more: { who: 'therapist' } },
      { by: ADMIN, command: 'markNoShow', more: { who: 'client' } },
    ),
  },
)
const passed = fc.constantFrom(1, 4, 11, 16, 60)
const happening = fc.oneof({ weight: 3, arbitrary: sent }, { weight: 1, arbitrary: passed })

/** PP2: steps are in their tables, and replaying them gives the triple. */
function replayed(records: readonly AuditRecord[]): string {
  const states: Record<Entity, string> = { ...INITIAL_TRIPLE }
  for (const { entity, from, to } of records) {
    if ((entity !== 'payment' && entity !== 'session' && entity !== 'video') || from === null) continue
    expect(from).toBe(states[entity])
    expect('error' in entityTransition(entity, from, to ?? '')).toBe(false)
    states[entity] = to ?? ''
  }
  return `${states.payment}/${states.session}/${states.video}`
}

describe('domain.md §3.12 properties of a call', () => {
  test('PP1 PP2 PP3 PP4 PP6 hold after whatever happens around a call', () => {
    fc.assert(
      fc.property(fc.array(happening, { minLength: 4, maxLength: 20 }), (happenings) => {
        const world = new World()
        const id = world.booked('ready')
        world.passToStart(id, -14 * MINUTE_MS)
        let before = world.view(id)
        for (const what of happenings) {
          if (typeof what === 'number') world.pass(what * MINUTE_MS)
          else world.send(what.by, what.command, { id, ...what.more })
          const view = world.view(id)
          expect(REACHABLE).toContain(world.triple(id))
          // The refund goes its own way; the three states stay.
          const { payment, session, video } = before
          if (isTerminalSession(session)) expect(view).toMatchObject({ payment, session, video })
          expect(view.captures).toMatchObject([{ applied: true, amountMinor: PRICE }])
          expect(view.refunds.length).toBe(view.payment === 'refunded' ? 1 : 0)
          expect(view.refundedMinor).toBeLessThanOrEqual(PRICE)
          before = view
        }
        expect(replayed(world.audit(id))).toBe(world.triple(id))
        expect(brokenAt(world.audit(), codec.sha256Hex, FIRST_HASH)).toBeNull()
        expect(world.log.reports.filter(({ kind }) => kind === 'failure')).toEqual([])
        expect(world.totals().money.balanced).toBe(true)
      }),
      { numRuns: sample(20) },
    )
  })

  test('PP8 the share of a running session never grows with what is over of it', () => {
    const share = (minutes: number): number => {
      const world = new World()
      const id = world.booked('in_progress')
      if (minutes > 0) world.pass(minutes * MINUTE_MS)
      return Number(world.answer(CLIENT, 'refundQuote', { id })['pct'])
    }
    const shares = [0, 14, 15, 29, 30, 44, 45, 89].map(share)
    expect(shares).toEqual([...shares].sort((left, right) => right - left))
  })
})
