import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { RaftConfig } from '../../src/raft/index.ts'
import { run, type Scenario } from './random/run.ts'
import { sample } from '../effort.ts'

/** Small windows, so that their edges are met. */
const SMALL: Partial<RaftConfig> = { inFlightMessagesMax: 2, inFlightBytesMax: 500, appendEntriesMax: 3 }

const numbers = fc.array(fc.nat(1_000_000_000), { minLength: 1, maxLength: 700, size: 'max' })

const THREE = ['n1', 'n2', 'n3']
const BARE: Partial<RaftConfig> = { preVote: false, checkQuorum: false }

/** As far apart as leases allow (`DRIFT_PERMILLE`). */
const SKEWED = [0.9, 1.1, 1]

const SCENARIOS: readonly (Scenario & { readonly numRuns: number })[] = [
  { name: 'three nodes', ids: THREE, config: {}, numRuns: sample(30) },
  { name: 'three nodes with small windows', ids: THREE, config: SMALL, numRuns: sample(30) },
  {
    name: 'three nodes without pre-vote and check-quorum',
    ids: THREE,
    config: { ...SMALL, ...BARE },
    numRuns: sample(40),
  },
  {
    name: 'three nodes in a storm of elections',
    ids: THREE,
    config: { ...SMALL, ...BARE },
    storm: true,
    numRuns: sample(120),
  },
  { name: 'three nodes with leases', ids: THREE, config: SMALL, clocks: SKEWED, numRuns: sample(10) },
  { name: 'leases and spares', ids: THREE, spares: ['n4', 'n5'], config: SMALL, clocks: SKEWED, numRuns: sample(10) },
  { name: 'five nodes', ids: [...THREE, 'n4', 'n5'], config: SMALL, numRuns: sample(20) },
  { name: 'two nodes', ids: ['n1', 'n2'], config: SMALL, numRuns: sample(20) },
  { name: 'three nodes and two spares', ids: THREE, spares: ['n4', 'n5'], config: SMALL, numRuns: sample(20) },
  { name: 'one node and a spare', ids: ['n1'], spares: ['n2'], config: {}, numRuns: sample(10) },
  { name: 'one node', ids: ['n1'], config: {}, numRuns: sample(20) },
]

for (const scenario of SCENARIOS) {
  const { name, numRuns } = scenario
  test(`${name}: whatever is lost, doubled, late or crashed, every step is safe and the healed cluster commits`, () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), numbers, (seed, events) => void run(scenario, seed, events)),
      // A counterexample is shrunk for so long only; the seed it is reported with is what counts.
      { numRuns, interruptAfterTimeLimit: sample(40_000) },
    )
  })
}

const WORDS: readonly string[] = [
  ...['is leader', 'abort', 'truncate', 'hint', 'NO_QUORUM', 'NOT_LEADER', 'STORAGE_STALLED', 'TRANSFERRING'],
  ...['may answer read', 'cannot answer read', 'restart log', 'owes nothing', 'timeoutNow', 'CHANGE_UNDERWAY'],
  ...['NOT_READY', 'configuration', 'releases'],
]

test('the random events reach what they check: elections, truncations, refusals, losses, reads, changes', () => {
  const seen = new Set<string>()
  const scenario: Scenario = { name: 'coverage', ids: THREE, spares: ['n4'], config: SMALL, clocks: SKEWED }
  const note = (line: string): void => {
    for (const word of WORDS) if (line.includes(word)) seen.add(word)
  }
  let committed = 0
  for (const [at, events] of fc.sample(numbers, { seed: 7, numRuns: 30 }).entries()) {
    committed += run(scenario, at, events, note).safety.committedCount
  }
  expect([...seen].sort()).toEqual([...WORDS].sort())
  expect(committed).toBeGreaterThan(150)
})
