import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { COMMON_ERRORS, describeRejection } from '../../../src/machine/define/rejection.ts'
import { command, defineMachine, table } from '../../../src/machine/index.ts'
import { InvariantError } from '../../../src/session/run/engine-error.ts'
import { machineHarness } from '../../../src/testing/index.ts'
import { A, B, World as Dialogues } from '../session/world.ts'
import { CLIENT, PHONE, PRICE, STRANGER, THERAPIST, WORKER, World } from '../payments/world.ts'

interface Refused {
  readonly code: string
  readonly details: unknown
}

/** The table of domain.md §0.6: what is met for each code, with the details that its row names. */
const CODES: {
  readonly [code: string]: { readonly met: () => Refused; readonly details: unknown; readonly message: string }
} = {
  VALIDATION_ERROR: {
    met: () => {
      const world = new World()
      const input = { therapistId: THERAPIST, startsAt: world.now, durationMin: 60, priceMinor: 100, currency: 'KES' }
      return world.refused(CLIENT, 'requestBooking', input)
    },
    details: { field: 'startsAt' },
    message: 'VALIDATION_ERROR: the input does not fit its schema, limits or enumerations {"field":"startsAt"}',
  },
  UNAUTHENTICATED: {
    met: () => {
      const outcome = new World().ask(null, 'list', {})
      return outcome.kind === 'reject' ? outcome : { code: 'none', details: null }
    },
    details: {},
    message: 'UNAUTHENTICATED: the client session has no principal',
  },
  FORBIDDEN: {
    met: () => {
      const world = new World()
      return world.refused(STRANGER, 'cancel', { id: world.booked('requested'), reason: 'other' })
    },
    details: { id: 'bkg-1' },
    message: 'FORBIDDEN: the principal or its roles may not do this {"id":"bkg-1"}',
  },
  NOT_FOUND: {
    met: () => new World().refused(CLIENT, 'cancel', { id: 'bkg-9', reason: 'other' }),
    details: { id: 'bkg-9' },
    message: 'NOT_FOUND: there is no such entity, or it is not visible to the issuer {"id":"bkg-9"}',
  },
  CONFLICT: {
    met: () => {
      const world = new World()
      return world.refused(CLIENT, 'initiatePayment', { id: world.booked('payment_pending'), phone: PHONE })
    },
    details: { reason: 'PAYMENT_IN_FLIGHT' },
    message:
      'CONFLICT: it was already done with other content, or a uniqueness rule is broken {"reason":"PAYMENT_IN_FLIGHT"}',
  },
  RATE_LIMITED: {
    met: () => {
      const world = new Dialogues()
      world.dialogueIn('INVITED')
      const { code, value } = world.send(A, 'resendInvitation', { sid: 'ses-1' })
      // A day after it was sent first: the details name that time.
      expect(value).toEqual({ retryAt: world.harness.now + 86_400_000 })
      return { code, details: { retryAt: value['retryAt'] === undefined ? 0 : 1 } }
    },
    details: { retryAt: 1 },
    message: 'RATE_LIMITED: too many in too short a time; details.retryAt says when to try again {"retryAt":1}',
  },
  SESSION_NOT_ACTIVE: {
    met: () => {
      const world = new Dialogues()
      world.dialogueIn('PAUSED')
      const { code, value } = world.send(B, 'postMessage', { sid: 'ses-1', text: 'hm' })
      return { code, details: value }
    },
    details: { status: 'PAUSED' },
    message: 'SESSION_NOT_ACTIVE: the dialogue is not ACTIVE; details.status says what it is {"status":"PAUSED"}',
  },
  INVALID_STATE_TRANSITION: {
    met: () => {
      const world = new World()
      return world.refused(THERAPIST, 'approve', { id: world.booked('paid'), expectPriceMinor: PRICE })
    },
    details: { entity: 'session', from: 'paid', to: 'approved', event: 'approve' },
    message: 'session in state paid cannot go to approved; no further step is allowed',
  },
  STALE_STATE: {
    met: () => {
      const world = new World()
      return world.refused(THERAPIST, 'approve', { id: world.booked('requested'), expectPriceMinor: 1 })
    },
    details: { field: 'priceMinor', expected: 1, actual: PRICE },
    message:
      'STALE_STATE: the expected value is not the current one {"field":"priceMinor","expected":1,"actual":500000}',
  },
  STALE_TASK: {
    met: () => {
      const input = { taskId: '1-task-404', attempt: 1, result: { providerRef: 'B2C' } }
      const { code } = new World().refused(WORKER, 'complete', input, 'task')
      return { code, details: {} }
    },
    details: {},
    message: 'STALE_TASK: the task is closed or unknown',
  },
  INTERNAL_INVARIANT: {
    met: () => {
      const broken = defineMachine(
        'broken',
        { version: 1, state: { rows: table(z.string(), z.int()) } },
        {
          commands: {
            go: command({ input: z.null(), output: z.null() }, (ctx: { state: { rows: Rows } }) => {
              ctx.state.rows.set('a', 1)
              throw new InvariantError('one and one would be three')
            }),
          },
        },
      )
      const harness = machineHarness([broken], { failures: 'collect' })
      const outcome = harness.session(CLIENT).execute('broken', 'go', null)
      // A bug is met as MACHINE_ERROR with this reason, and everything is rolled back (D7).
      expect(harness.table('broken', 'rows')).toEqual([])
      expect(outcome).toMatchObject({ code: 'MACHINE_ERROR', details: { reason: 'INTERNAL_INVARIANT' } })
      return { code: 'INTERNAL_INVARIANT', details: {} }
    },
    details: {},
    message: 'INTERNAL_INVARIANT: a bug: an invariant failed and everything was rolled back',
  },
}

interface Rows {
  set(key: string, value: number): void
}

describe('domain.md §0.6 common error codes', () => {
  for (const [code, { met, details, message }] of Object.entries(CODES)) {
    test(`domain.md §0.6 ${code} is met, with its details and its message`, () => {
      const refused = met()
      expect(refused.code).toBe(code)
      if (Object.keys(details as object).length > 0) expect(refused.details).toMatchObject(details as object)
      const told = code === 'INVALID_STATE_TRANSITION' ? { ...(details as object), allowed: [] } : details
      expect(describeRejection(code, told as never)).toBe(message)
    })
  }

  test('domain.md §0.6 there are these codes and no other', () => {
    expect(Object.keys(COMMON_ERRORS)).toEqual(Object.keys(CODES))
  })
})
