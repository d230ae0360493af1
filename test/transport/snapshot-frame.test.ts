import { expect, test } from 'vitest'
import { groupId, logIndex, nodeId } from '../../src/base/brand.ts'
import { crc32 } from '../../src/codec/bytes/crc.ts'
import type { SnapshotMeta } from '../../src/node/ports/snapshot-store.ts'
import type { SnapshotRequest } from '../../src/node/ports/snapshot-transfer.ts'
import {
  decodeSnapshotAnswer,
  decodeSnapshotRequest,
  encodeSnapshotAnswer,
  encodeSnapshotRequest,
} from '../../src/transport/snapshot-frame.ts'
import { META } from './snapshot-meta.ts'

const REQUEST: SnapshotRequest = {
  clusterId: 'c1',
  group: groupId(0),
  sender: nodeId('n2'),
  recipient: nodeId('n1'),
  senderInstance: 'i2',
  recipientInstance: 'i1',
  index: logIndex(300),
  after: 'session/client/\u0001',
}

/** Of META, as the switch record of a snapshot says it. */
const META_JSON =
  '{"lastIncludedIndex":900,"lastIncludedTerm":3,"chain":7,"lease":12.5,"now":1700000000000,"configuration":{"index":1,' +
  '"configuration":{"voters":["n1"],"learners":[],"outgoing":[],"promoting":[]}},"configurationPayload":"AAE=",' +
  '"stateHash":"0123456789abcdef","incarnation":1,"machineVersions":{"counter":1},"rowCount":2,"digest":9}'

test('a request has these bytes: version, checksum, envelope, snapshot, key (docs/format.md)', () => {
  // Cluster, group, sender, recipient, instances.
  const envelope = ['026331', '00', '026e32', '026e31', '026932', '026931']
  const key = ['01', '10', '73657373696f6e2f636c69656e742f01']
  expect(encodeSnapshotRequest(REQUEST).toString('hex')).toBe(['01', '600916cc', ...envelope, 'ac02', ...key].join(''))
  const first = { ...REQUEST, index: logIndex(0), after: null }
  expect(encodeSnapshotRequest(first).toString('hex')).toBe(['01', '525f53de', ...envelope, '00', '00'].join(''))
  for (const request of [REQUEST, first]) {
    expect(decodeSnapshotRequest(encodeSnapshotRequest(request))).toEqual({ ok: true, value: request })
  }
})

test('an answer has these bytes: what the snapshot is, its rows, the keys at both ends, the part’s rows', () => {
  const answer = {
    meta: META,
    total: 300,
    after: null,
    part: { lastKey: 'k2', rows: 1, bytes: Uint8Array.of(1, 2, 3) },
  }
  const json = Buffer.from(META_JSON, 'utf8').toString('hex')
  const bytes = ['01', '12380c63', '01', 'c702', json, 'ac02', '00', '01026b32', '01', '010203']
  expect(encodeSnapshotAnswer(answer).toString('hex')).toBe(bytes.join(''))
  expect(encodeSnapshotAnswer(null).toString('hex')).toBe('01d202ef8d00')
  expect(decodeSnapshotAnswer(Buffer.from('01d202ef8d00', 'hex'))).toEqual({ ok: true, value: null })
})

test('a message whose bytes are not those that were sent is refused, whichever byte it is', () => {
  const sent = encodeSnapshotRequest(REQUEST)
  for (let at = 0; at < sent.length; at += 1) {
    const wrong = Buffer.from(sent)
    wrong[at] = (wrong[at] ?? 0) ^ 1
    expect(decodeSnapshotRequest(wrong)).toMatchObject({ ok: false })
    expect(decodeSnapshotRequest(sent.subarray(0, at))).toMatchObject({ ok: false })
  }
})

test('an answer that is well sent and says what no snapshot has is refused', () => {
  const refused = (meta: object): unknown => {
    const part = { lastKey: null, rows: 0, bytes: new Uint8Array(0) }
    const bytes = encodeSnapshotAnswer({ meta: meta as SnapshotMeta, total: 0, after: null, part })
    expect(bytes.readUInt32BE(1)).toBe(crc32(bytes, 5, bytes.length, 0))
    return decodeSnapshotAnswer(bytes)
  }
  for (const wrong of [{ lastIncludedIndex: 0 }, { chain: -1 }, { now: -1 }, { stateHash: 'x' }, { digest: 2 ** 32 }])
    expect(refused({ ...META, ...wrong })).toMatchObject({ ok: false, error: { code: 'MALFORMED_FRAME' } })
})
