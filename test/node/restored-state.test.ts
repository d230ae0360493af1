import { expect, test } from 'vitest'
import { encodePayload } from '../../src/codec/entry/payload-codec.ts'
import { groupId, logIndex, nodeId, term, writeNumber } from '../../src/base/brand.ts'
import type { DriverOptions } from '../../src/node/options.ts'
import { restoredState } from '../../src/node/restored-state.ts'
import type { TermRun } from '../../src/base/term-run.ts'
import type { ConfigurationEntry } from '../../src/raft/types.ts'
import type { Member } from '../../src/codec/entry/payload.ts'
import type { KnownConfiguration } from '../../src/node/ports/log-store.ts'
import { boundaryAt } from './recorded-store.ts'

const run = (first: number, last: number, of: number): TermRun => ({
  first: logIndex(first),
  last: logIndex(last),
  term: term(of),
})
const SELF = { clusterId: 'c', group: groupId(0), id: nodeId('n2'), instance: 'i-n2' }
const NONE = { learners: [], outgoing: [], promoting: [] }
const member = (id: string, instanceId = `i-${id}`): Member => ({ id: nodeId(id), address: `${id}:1`, instanceId })

const known = (index: number, members: readonly Member[]): KnownConfiguration => {
  const payload = { clusterId: 'c', incarnation: 1, voters: members, ...NONE, removed: [] }
  return { index: logIndex(index), payload, bytes: encodePayload('Configuration', payload) }
}
const held = (index: number): KnownConfiguration => known(index, [member('n1'), member('n2')])
const voters = (index: number): ConfigurationEntry => ({
  index: logIndex(index),
  configuration: { voters: [nodeId('n1'), nodeId('n2')], ...NONE },
})

function restored(
  log: { base: number; baseTerm: number; runs: readonly TermRun[]; configurations: readonly KnownConfiguration[] },
  snapshot: { index: number; configuration: KnownConfiguration } | null,
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
    obligation: null,
  }
  const meta =
    snapshot === null
      ? null
      : {
          ...boundaryAt(snapshot.index),
          configuration: voters(snapshot.configuration.index),
          configurationPayload: Buffer.from(snapshot.configuration.bytes).toString('base64'),
          rowCount: 0,
          digest: 0,
        }
  // Of the driver's options, those that the restored state is made of.
  return restoredState({ identity: SELF, recovered, snapshot: meta, seed: 3 } as unknown as DriverOptions)
}

test('a log that begins above entry 1 is given whole, also below the newest snapshot', () => {
  const runs = [run(51, 60, 2), run(61, 150, 3)]
  const log = { base: 50, baseTerm: 2, runs, configurations: [] }
  expect(restored(log, { index: 100, configuration: held(1) })).toMatchObject({
    snapshotIndex: 50,
    snapshotTerm: 2,
    runs,
    configurations: [voters(1)],
  })
})

test('a Configuration that the log and the snapshot both hold is given once', () => {
  const log = { base: 50, baseTerm: 2, runs: [run(51, 150, 2)], configurations: [held(70), held(120)] }
  expect(restored(log, { index: 100, configuration: held(70) }).configurations).toEqual([voters(70), voters(120)])
})

test('an empty log above a snapshot begins there', () => {
  const log = { base: 100, baseTerm: 3, runs: [], configurations: [] }
  const state = restored(log, { index: 100, configuration: held(1) })
  expect(state).toMatchObject({ snapshotIndex: 100, snapshotTerm: 3, runs: [], configurations: [voters(1)] })
})

test('a voter of this id with another disk is not this node: it neither campaigns nor votes for it', () => {
  const log = {
    base: 0,
    baseTerm: 0,
    runs: [run(1, 9, 2)],
    configurations: [known(1, [member('n1'), member('n2', 'lost')])],
  }
  expect(restored(log, null).configurations[0]?.configuration).toEqual({ voters: ['n1', "n2'"], ...NONE })
})
