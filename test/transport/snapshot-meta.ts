import { logIndex, nodeId, term } from '../../src/base/brand.ts'
import type { SnapshotMeta } from '../../src/node/ports/snapshot-store.ts'

/** Of a snapshot of one node. */
export const META: SnapshotMeta = {
  lastIncludedIndex: logIndex(900),
  lastIncludedTerm: term(3),
  chain: 7,
  lease: 12.5,
  now: 1_700_000_000_000,
  configuration: {
    index: logIndex(1),
    configuration: { voters: [nodeId('n1')], learners: [], outgoing: [], promoting: [] },
  },
  configurationPayload: 'AAE=',
  stateHash: '0123456789abcdef',
  incarnation: 1,
  machineVersions: { counter: 1 },
  rowCount: 2,
  digest: 9,
}
