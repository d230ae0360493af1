import { expect, test } from 'vitest'
import { logIndex, nodeId, term, writeNumber } from '../../src/base/brand.ts'
import type { DriverOptions } from '../../src/node/options.ts'
import { restoredState } from '../../src/node/restored-state.ts'
import type { TermRun } from '../../src/base/term-run.ts'
import type { ConfigurationEntry } from '../../src/raft/types.ts'
import { boundaryAt } from './recorded-store.ts'

const run = (first: number, last: number, of: number): TermRun => ({
  first: logIndex(first),
  last: logIndex(last),
  term: term(of),
})
const voters = (index: number): ConfigurationEntry => ({
  index: logIndex(index),
  configuration: { voters: [nodeId('n1'), nodeId('n2')], learners: [] },
})

function restored(
  log: { base: number; baseTerm: number; runs: readonly TermRun[]; configurations: readonly ConfigurationEntry[] },
  snapshot: { index: number; configuration: ConfigurationEntry } | null,
): ReturnType<typeof restoredState> {
  const recovered: DriverOptions['recovered'] = {
    hardState: { currentTerm: term(9), votedFor: null },
    firstIndex: logIndex(log.base + 1),
    lastIndex: log.runs.at(-1)?.last ?? logIndex(log.base),
    baseTerm: term(log.baseTerm),
    runs: log.runs,
    configurations: log.configurations,
    lastLease: 0,
    lastNow: 0,
    lastChain: 0,
    lastWrite: writeNumber(4),
    tornBytes: 0,
  }
  const meta =
    snapshot === null
      ? null
      : { ...boundaryAt(snapshot.index), configuration: snapshot.configuration, rowCount: 0, digest: 0 }
  // Of the driver's options, those that the restored state is made of.
  return restoredState({ recovered, snapshot: meta, seed: 3 } as unknown as DriverOptions)
}

test('a log that begins above entry 1 is given whole, also below the newest snapshot', () => {
  const runs = [run(51, 60, 2), run(61, 150, 3)]
  const log = { base: 50, baseTerm: 2, runs, configurations: [] }
  expect(restored(log, { index: 100, configuration: voters(1) })).toMatchObject({
    snapshotIndex: 50,
    snapshotTerm: 2,
    runs,
    configurations: [voters(1)],
  })
})

test('a Configuration that the log and the snapshot both hold is given once', () => {
  const log = { base: 50, baseTerm: 2, runs: [run(51, 150, 2)], configurations: [voters(70), voters(120)] }
  expect(restored(log, { index: 100, configuration: voters(70) }).configurations).toEqual([voters(70), voters(120)])
})

test('an empty log above a snapshot begins there', () => {
  const log = { base: 100, baseTerm: 3, runs: [], configurations: [] }
  const state = restored(log, { index: 100, configuration: voters(1) })
  expect(state).toMatchObject({ snapshotIndex: 100, snapshotTerm: 3, runs: [], configurations: [voters(1)] })
})
