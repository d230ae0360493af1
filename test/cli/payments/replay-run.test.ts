import { describe, expect, test } from 'vitest'
import { CommandError, EXIT } from '../../../src/cli/terminal/exit.ts'
import { ReplayRun } from '../../../src/cli/payments/replay-run.ts'
import type { Outcome } from '../../../src/cli/payments/outcome.ts'
import type { ReplayTotals } from '../../../src/cli/payments/replay-totals.ts'
import { generateCallbacks } from '../../../src/machines/payments/tools/generate-callbacks.ts'
import { planReplay } from '../../../src/machines/payments/tools/plan-replay.ts'
import { FakePayments } from './fake-payments.ts'

function replayed(lines: string[], backend = new FakePayments()): Promise<ReplayTotals> {
  return new ReplayRun({ plan: planReplay(lines), backend, run: 'replay', now: 0 }).run()
}

function sumOf(totals: ReplayTotals): number {
  const rejected = Object.values(totals.rejected).reduce((sum, count) => sum + count, 0)
  const { applied, replayed, ignored, orphaned, suspense, unknown, malformed } = totals
  return applied + replayed + ignored + orphaned + suspense + unknown + malformed + rejected
}

describe('a replay of payment callbacks', () => {
  test.each([false, true])(
    'every line of a file is accounted for, tasks before their answers: %s',
    async (tasksFirst) => {
      const lines = [...generateCallbacks({ count: 3000, seed: 5 })]
      const backend = new FakePayments()
      backend.tasksFirst = tasksFirst
      const totals = await replayed(lines, backend)
      expect(totals.received).toBe(3000)
      expect(sumOf(totals)).toBe(3000)
      expect(totals).toMatchObject({ orphaned: 0, suspense: 0, unknown: 0 })
      expect(totals.rejected).toEqual({})
      expect(totals.malformed).toBeGreaterThan(0)
      expect(totals.replayed).toBe(duplicatesIn(lines))
      expect(totals.confirmed + totals.failed).toBe(totals.bookings)
      expect(totals.attempts).toBeGreaterThan(totals.bookings)
    },
  )

  test('set-up is finished before the first callback is fed', async () => {
    const backend = new FakePayments()
    await replayed([...generateCallbacks({ count: 500, seed: 1 })], backend)
    expect(backend.log.lastIndexOf('payments.requestBooking')).toBeLessThan(
      backend.log.indexOf('payments.paymentCallback'),
    )
  })

  test('another amount under a known transaction is counted as rejected with its code', async () => {
    const [line = ''] = [...generateCallbacks({ count: 1, seed: 3 })]
    const other = line.replace(/"Name":"Amount","Value":"?[\d.]+"?/, '"Name":"Amount","Value":7')
    const totals = await replayed([line, other])
    expect(totals).toMatchObject({ received: 2, applied: 1, replayed: 0, rejected: { IDEMPOTENCY_CONFLICT: 1 } })
  })

  test('a cluster that refuses the set-up ends the replay with exit code 4, one that is silent with 3', async () => {
    const backend = new FakePayments()
    const run = (outcome: Outcome): Promise<unknown> => {
      backend.refuse = { command: 'payments.approve', outcome }
      return replayed([...generateCallbacks({ count: 10, seed: 1 })], backend).catch((error: unknown) => error)
    }
    const refused = await run({ kind: 'rejected', code: 'FORBIDDEN' })
    expect(refused).toBeInstanceOf(CommandError)
    expect(refused).toMatchObject({ exitCode: EXIT.refused, code: 'FORBIDDEN' })
    expect(await run({ kind: 'unknown', code: 'TIMEOUT' })).toMatchObject({ exitCode: EXIT.cannotConnect })
  })
})

/** Lines that repeat the transaction of an earlier one. */
function duplicatesIn(lines: readonly string[]): number {
  const seen = new Set<string>()
  let duplicates = 0
  for (const booking of planReplay(lines).bookings) {
    for (const step of booking.steps) {
      if (step.kind !== 'callback') continue
      if (seen.has(step.callback.transactionId)) duplicates += 1
      seen.add(step.callback.transactionId)
    }
  }
  return duplicates
}
