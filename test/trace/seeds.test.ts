import { describe, expect, test } from 'vitest'
import { runTracedSeed } from '../../src/sim/run-seed.ts'
import { checkTrace } from '../../src/trace/check-trace.ts'
import type { TracedMessage, TraceLine } from '../../src/trace/line.ts'

const SEEDS = 24

describe('the specification allows what the core does in the simulator', () => {
  test.each(Array.from({ length: SEEDS }, (_, at) => at + 1))('seed %i', (seed) => {
    const lines: TraceLine[] = []
    const result = runTracedSeed(seed, (line) => lines.push(line))
    expect(result.failure).toBeNull()
    const { violation, lines: taken } = checkTrace(lines)
    expect(violation).toBeNull()
    expect(taken).toBe(lines.length)
  })
})

test('the order in which a codec gives the fields of a message means nothing', () => {
  const lines: TraceLine[] = []
  runTracedSeed(3, (line) => lines.push(line))
  const turned = lines.map((line) => {
    if (line.kind !== 'step' || line.event.kind !== 'receive') return line
    const message = Object.fromEntries(Object.entries(line.event.message).reverse()) as TracedMessage
    return { ...line, event: { ...line.event, message } }
  })
  expect(checkTrace(turned)).toMatchObject({ violation: null, lines: lines.length })
})
