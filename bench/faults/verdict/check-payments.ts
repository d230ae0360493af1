import { isDeepStrictEqual } from 'node:util'
import { type Anomaly, verdictOf } from '../../../src/history/verdict.ts'
import type { Payments } from '../clients/payment-rounds.ts'
import type { CheckerVerdict } from './check-history.ts'

/** Whether every callback came to what it comes to where nothing fails, and all money is where it is there. */
export function checkPayments(told: Payments, reference: Payments): readonly CheckerVerdict[] {
  const anomalies: Anomaly[] = told.rounds.flatMap((round, at) => differing(`round ${at}`, round, reference.rounds[at]))
  const all = [...anomalies, ...differing('all money', told.totals, reference.totals)]
  return [{ checker: 'payments', verdict: verdictOf(all) }]
}

function differing(what: string, told: unknown, expected: unknown): Anomaly[] {
  if (isDeepStrictEqual(told, expected)) return []
  const text = `${what}: ${JSON.stringify(told)}; without faults ${JSON.stringify(expected)}`
  return [{ name: 'other-money', text, operations: [] }]
}
