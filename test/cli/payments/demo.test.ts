import { describe, expect, test } from 'vitest'
import { playDemo } from '../../../src/cli/payments/demo.ts'
import { FakePayments } from './fake-payments.ts'

async function played(payments: FakePayments, onRestart = () => {}): Promise<{ held: boolean; lines: string[] }> {
  const lines: string[] = []
  const held = await playDemo({
    run: 'run1',
    now: 0,
    connect: async () => payments,
    restart: async () => onRestart(),
    say: (line) => lines.push(line),
  })
  return { held, lines }
}

describe("the demo's own assertions", () => {
  test('hold for a server that applies a callback once and keeps its state', async () => {
    const { held, lines } = await played(new FakePayments())
    expect(lines.filter((line) => line.includes('FAILED'))).toEqual([])
    expect(lines.filter((line) => line.startsWith('  ok'))).toHaveLength(9)
    expect(held).toBe(true)
  })

  test('fail for a server that applies a callback twice', async () => {
    const payments = new FakePayments()
    payments.forgetsCallbacks = true
    const { held, lines } = await played(payments)
    expect(held).toBe(false)
    expect(lines.join('\n')).toContain('FAILED  money was captured once')
  })

  test('fail for a server that forgets on a restart', async () => {
    const payments = new FakePayments()
    const { held, lines } = await played(payments, () => payments.forgetEverything())
    expect(held).toBe(false)
    expect(lines.join('\n')).toContain('FAILED  after the restart the booking is still paid')
  })
})
