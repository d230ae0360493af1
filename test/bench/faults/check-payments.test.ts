import { expect, test } from 'vitest'
import type { Payments } from '../../../bench/faults/clients/payment-rounds.ts'
import { checkPayments } from '../../../bench/faults/verdict/check-payments.ts'

const ROUND: Payments['rounds'][number] = {
  ...{ received: 60, applied: 48, replayed: 9, ignored: 1, orphaned: 0, suspense: 0, unknown: 1, malformed: 1 },
  ...{ rejected: {}, confirmed: 46, failed: 2, attempts: 50, bookings: 48 },
}
const REFERENCE: Payments = { rounds: [ROUND, ROUND], totals: { receivedMinor: 500 } }

function found(told: Payments): string[] {
  return checkPayments(told, REFERENCE).flatMap(({ verdict }) =>
    verdict.kind === 'violated' ? verdict.anomalies.map(({ text }) => text.slice(0, text.indexOf(':'))) : [],
  )
}

test('callbacks that came to what they come to without faults are right', () => {
  expect(found({ ...REFERENCE })).toEqual([])
})

test('a callback that was applied twice, or money that is not there, is told', () => {
  expect(found({ ...REFERENCE, rounds: [ROUND, { ...ROUND, applied: 49, replayed: 8 }] })).toEqual(['round 1'])
  expect(found({ ...REFERENCE, totals: { receivedMinor: 510 } })).toEqual(['all money'])
  expect(found({ ...REFERENCE, rounds: [ROUND, ROUND, ROUND] })).toEqual(['round 2'])
})
