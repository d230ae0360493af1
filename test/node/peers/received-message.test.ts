import { expect, test } from 'vitest'
import { groupId, logIndex, nodeId, term } from '../../../src/base/brand.ts'
import { EntryEncoder } from '../../../src/codec/entry/entry-encoder.ts'
import { verifiedMessage } from '../../../src/node/peers/received-message.ts'
import type { Message } from '../../../src/raft/types.ts'

test('entries from the first on, for a log that begins above it, are verified without the chain before them', () => {
  const encoder = new EntryEncoder()
  const at = { group: groupId(0), index: logIndex(1), term: term(1), lease: 0, now: 0, previousChain: 0 }
  encoder.append({ kind: 'Noop', ...at, payload: new Uint8Array(0) })
  const message: Message = {
    kind: 'appendEntries',
    term: term(3),
    prevLogIndex: logIndex(0),
    prevLogTerm: term(0),
    runs: [{ first: logIndex(1), last: logIndex(1), term: term(1) }],
    leaderCommit: logIndex(0),
    configurations: [],
    sequence: 1,
  }
  const verified = verifiedMessage(
    { kind: 'received', from: nodeId('n1'), message, records: encoder.finish() },
    {
      self: { id: nodeId('n1'), instance: 'i-n1' },
      group: groupId(0),
      termAt: (index) => (index >= 50 ? term(2) : null),
      chainAt: (index) => {
        throw new Error(`the log does not hold entry ${index}`)
      },
    },
  )
  expect(verified).toEqual(message)
})
