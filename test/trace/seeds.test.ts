import { describe, expect, test } from 'vitest'
import { runTracedSeed } from '../../src/sim/run-seed.ts'
import { checkTrace } from '../../src/trace/check-trace.ts'
import type { TraceLine } from '../../src/trace/line.ts'

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
