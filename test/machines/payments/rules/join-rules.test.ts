import { describe, expect, test } from 'vitest'
import { DAY_MS, MINUTE_MS } from '../../../../src/base/time.ts'
import { ADMIN, CLIENT, STRANGER, THERAPIST, WORKER, World } from '../world.ts'

/** The rules of domain.md §3.6 in their order. Each booking breaks its rule and, where it can, every later one. */
interface Row {
  readonly by: readonly string[]
  /** States of `World.booked` in which the rule answers. */
  readonly states: readonly string[]
  /** Where from the start of the session; days before it otherwise. */
  readonly fromStart?: readonly number[]
  readonly code: string
}

const PARTIES = [CLIENT, THERAPIST]

const ROWS: { readonly [rule: string]: Row } = {
  'rule 1 stranger': {
    by: [STRANGER, ADMIN, WORKER],
    states: ['requested', 'paid', 'ready', 'ready_failed', 'in_progress', 'completed'],
    code: 'FORBIDDEN',
  },
  'rule 2 session requested/approved/payment_pending': {
    by: PARTIES,
    states: ['requested', 'approved', 'payment_pending', 'failed'],
    code: 'UNPAID_ACCESS',
  },
  'rule 3 session paid/forms_required, or a required form open without verbal consent': {
    by: PARTIES,
    states: ['paid', 'forms_required'],
    code: 'FORMS_INCOMPLETE',
  },
  'rule 4 terminal session': {
    by: PARTIES,
    states: ['completed', 'cancelled', 'no_show_client', 'no_show_therapist'],
    code: 'BOOKING_CLOSED',
  },
  'rule 5 t < startsAt − 15 min': {
    by: PARTIES,
    states: ['ready'],
    fromStart: [-DAY_MS, -15 * MINUTE_MS - 1],
    code: 'OUTSIDE_JOIN_WINDOW',
  },
  'rule 5 t > startsAt + 120 min, before rule 6': {
    by: PARTIES,
    states: ['in_progress', 'in_progress_failed'],
    fromStart: [120 * MINUTE_MS + 1],
    code: 'OUTSIDE_JOIN_WINDOW',
  },
  'rule 6 video failed': { by: PARTIES, states: ['ready_failed', 'in_progress_failed'], code: 'VIDEO_FAILED' },
  'rule 7 ok': {
    by: PARTIES,
    states: ['ready', 'in_progress_waiting'],
    fromStart: [-15 * MINUTE_MS, 0, 120 * MINUTE_MS],
    code: 'ok',
  },
}

/** Long enough that no timer ends the session while the door is open. */
const LONG = { durationMin: 240 }

describe('domain.md §3.6 the join rules', () => {
  for (const [name, { by, states, fromStart, code }] of Object.entries(ROWS)) {
    test(`domain.md §3.6 ${name}: ${code}, and canJoin says the same without effect`, () => {
      for (const state of states) {
        for (const principal of by) {
          for (const ms of fromStart ?? [null]) {
            const world = new World()
            const id = world.booked(state, LONG)
            const { startsAt } = world.view(id)
            if (ms !== null) {
              const nobodyElse = state === 'ready' && ms > 15 * MINUTE_MS
              if (world.now > startsAt + ms || nobodyElse) continue
              world.passToStart(id, ms)
            }
            const where = `${state} ${principal} ${ms}`
            const before = world.view(id)
            const answer = world.ask(principal, 'canJoin', { id })
            const said = answer.kind === 'value' ? (answer.value as { code: string | null }).code : answer.code
            expect(said, where).toBe(code === 'ok' ? null : code)
            expect(world.view(id)).toEqual(before)
            const outcome = world.send(principal, 'joinVideo', { id })
            expect(outcome.kind === 'reject' ? outcome.code : 'ok', where).toBe(code)
            if (code === 'OUTSIDE_JOIN_WINDOW') {
              const window = { opensAt: startsAt - 15 * MINUTE_MS, closesAt: startsAt + 120 * MINUTE_MS }
              expect(outcome).toMatchObject({ details: window })
            }
          }
        }
      }
    })
  }

  test('domain.md §3.6 rule 3 with consent by word the open form is not asked for', () => {
    const world = new World()
    const id = world.booked('forms_required')
    world.ok(THERAPIST, 'recordVerbalConsent', { id, note: 'by phone' })
    expect(world.refused(CLIENT, 'joinVideo', { id })).toMatchObject({ code: 'OUTSIDE_JOIN_WINDOW' })
    world.passToStart(id, -15 * MINUTE_MS)
    expect(world.ok(CLIENT, 'joinVideo', { id })).toMatchObject({ video: 'waiting_for_participants' })
  })
})
