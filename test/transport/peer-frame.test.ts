import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { groupId, logIndex, nodeId, term } from '../../src/base/brand.ts'
import { EntryEncoder } from '../../src/codec/entry/entry-encoder.ts'
import { encodeValue } from '../../src/codec/value/encode.ts'
import type { PeerBody, PeerFrame } from '../../src/node/ports/peer-transport.ts'
import type { Message, VoteVerdict } from '../../src/raft/types.ts'
import { decodePeerFrame, encodePeerFrame } from '../../src/transport/peer-frame.ts'

const envelope = {
  clusterId: 'c1',
  group: groupId(0),
  sender: nodeId('n1'),
  recipient: nodeId('n2'),
  senderInstance: 'a1',
  recipientInstance: '',
}
const frameOf = (message: Message, records: Uint8Array = new Uint8Array(0)): PeerFrame => ({
  ...envelope,
  body: { kind: 'raft', message, records, wallMs: 7 },
})
const nothing = new Uint8Array(0)

/** Records of entries from `first` on, one per term given. */
function recordsFrom(first: number, terms: readonly number[]): Uint8Array {
  const encoder = new EntryEncoder()
  let chain = 0
  terms.forEach((value, position) => {
    const index = logIndex(first + position)
    const payload = encodeValue(index)
    chain = encoder.append({
      kind: 'ClientRequest',
      group: groupId(0),
      index,
      term: term(value),
      lease: 1,
      now: 2,
      previousChain: chain,
      payload,
    })
  })
  return encoder.finish()
}

const append = (
  overrides: Partial<Extract<Message, { kind: 'appendEntries' }>> = {},
): Extract<Message, { kind: 'appendEntries' }> => ({
  kind: 'appendEntries',
  term: term(3),
  prevLogIndex: logIndex(4),
  prevLogTerm: term(1),
  runs: [
    { first: logIndex(5), last: logIndex(6), term: term(2) },
    { first: logIndex(7), last: logIndex(7), term: term(3) },
  ],
  leaderCommit: logIndex(4),
  configurations: [],
  sequence: 9,
  ...overrides,
})

const VERDICTS: readonly VoteVerdict[] = [
  { granted: true },
  { granted: false, reason: 'leaderAlive' },
  { granted: false, reason: 'notBootstrapped' },
]
const MESSAGES: readonly Message[] = [
  { kind: 'preVoteRequest', term: term(2), lastLogIndex: logIndex(3), lastLogTerm: term(1) },
  { kind: 'requestVote', term: term(2), lastLogIndex: logIndex(2 ** 50), lastLogTerm: term(1), transfer: false },
  { kind: 'requestVote', term: term(2), lastLogIndex: logIndex(3), lastLogTerm: term(1), transfer: true },
  { kind: 'timeoutNow', term: term(2) },
  { kind: 'timeoutNow', term: term(2), releases: logIndex(3) },
  ...VERDICTS.map((verdict) => ({ kind: 'preVoteResponse' as const, term: term(2), requestTerm: term(3), verdict })),
  ...VERDICTS.map((verdict) => ({ kind: 'requestVoteResponse' as const, term: term(2), verdict })),
  ...(['nothing', 'entries', 'term'] as const).map((lost) => ({
    kind: 'logEnd' as const,
    term: term(2),
    requestTerm: term(2 ** 52 + 7),
    life: 2 ** 46,
    lost,
    lastLogTerm: term(1),
    lastLogIndex: logIndex(3),
  })),
  append({ runs: [] }),
  { kind: 'appendEntriesResponse', term: term(2), sequence: 5, result: { success: true, matchIndex: logIndex(7) } },
  {
    kind: 'installSnapshot',
    term: term(2),
    lastIncludedIndex: logIndex(900),
    lastIncludedTerm: term(1),
    sequence: 6,
  },
  { kind: 'installSnapshotResponse', term: term(2), sequence: 6, matchIndex: logIndex(0) },
  {
    kind: 'appendEntriesResponse',
    term: term(2),
    sequence: 5,
    result: { success: false, rejectedIndex: logIndex(7), hintIndex: logIndex(3), hintTerm: term(1) },
  },
]

describe('peer frames', () => {
  test('have the documented layout', () => {
    const encoded = encodePeerFrame(
      frameOf({
        kind: 'requestVote',
        term: term(2),
        lastLogIndex: logIndex(300),
        lastLogTerm: term(1),
        transfer: false,
      }),
    )
    expect(encoded.toString('hex')).toBe(
      // version, header length, CRC-32 of the header; cluster, group, sender, recipient, instances; kind, wall clock, fields
      [
        '01',
        '00000014',
        '4e1a304e',
        '026331',
        '00',
        '026e31',
        '026e32',
        '026131',
        '00',
        '04',
        '07',
        '02',
        'ac02',
        '01',
      ].join(''),
    )
    const hello = encodePeerFrame({ ...envelope, body: { kind: 'hello', hasConfiguration: true, reply: false } })
    expect(hello.subarray(9).toString('hex')).toBe(
      ['026331', '00', '026e31', '026e32', '026131', '00', '01', '01', '00'].join(''),
    )
  })

  test.each(MESSAGES.map((message) => [message.kind, message] as const))(
    '%s decodes to what was encoded',
    (_kind, message) => {
      const frame = frameOf(message)
      expect(decodePeerFrame(encodePeerFrame(frame))).toEqual({ ok: true, value: frame })
    },
  )

  test('hello decodes to what was encoded', () => {
    for (const flags of [
      { hasConfiguration: true, reply: false },
      { hasConfiguration: false, reply: true },
    ]) {
      const frame: PeerFrame = {
        ...envelope,
        recipientInstance: 'b2',
        body: { kind: 'hello', ...flags } satisfies PeerBody,
      }
      expect(decodePeerFrame(encodePeerFrame(frame))).toEqual({ ok: true, value: frame })
    }
  })

  test('an address decodes to what was encoded', () => {
    const frame: PeerFrame = { ...envelope, body: { kind: 'reachedAt', address: '[::1]:4600' } }
    const encoded = encodePeerFrame(frame)
    expect(encoded.subarray(9).toString('hex')).toBe(
      ['026331', '00', '026e31', '026e32', '026131', '00', '08', '0a', '5b3a3a315d3a34363030'].join(''),
    )
    expect(decodePeerFrame(encoded)).toEqual({ ok: true, value: frame })
  })

  test('a build and how far it has applied decode to what was encoded, in the documented layout', () => {
    const versions = [
      { version: 1, schema: '', code: 'c1' },
      { version: 2, schema: 's2', code: 'c2' },
    ]
    const build: PeerBody = {
      kind: 'build',
      reply: true,
      runtime: 'v20',
      holdfast: '0.1',
      development: true,
      machines: [{ name: 'stock', versions }],
    }
    const applied: PeerBody = { kind: 'applied', index: logIndex(300), hashHigh: 0xffffffff, hashLow: 1 }
    const head = ['026331', '00', '026e31', '026e32', '026131', '00']
    const texts = [
      '03763230',
      '03302e31',
      '01',
      '01',
      '0573746f636b',
      '02',
      '01',
      '00',
      '026331',
      '02',
      '027332',
      '026332',
    ]
    const wanted = [
      [build, ['09', '01', ...texts]],
      [applied, ['0a', 'ac02', 'ffffffff0f', '01']],
    ] as const
    for (const [body, bytes] of wanted) {
      const encoded = encodePeerFrame({ ...envelope, body })
      expect(encoded.subarray(9).toString('hex')).toBe([...head, ...bytes].join(''))
      expect(decodePeerFrame(encoded)).toEqual({ ok: true, value: { ...envelope, body } })
    }
  })

  test('records travel byte for byte', () => {
    const records = recordsFrom(5, [2, 2, 3])
    const decoded = decodePeerFrame(encodePeerFrame(frameOf(append(), records)))
    if (!decoded.ok || decoded.value.body.kind !== 'raft') throw new Error('expected a raft frame')
    expect(Buffer.from(decoded.value.body.records).equals(records)).toBe(true)
    expect(decoded.value.body.message).toEqual(append())
  })

  test('records follow exactly where the message names entries', () => {
    const malformed = { ok: false, error: { code: 'MALFORMED_FRAME' } }
    expect(decodePeerFrame(encodePeerFrame(frameOf(append(), nothing)))).toMatchObject(malformed)
    expect(decodePeerFrame(encodePeerFrame(frameOf(append({ runs: [] }), recordsFrom(5, [2]))))).toMatchObject(
      malformed,
    )
    const endless = append({
      runs: Array.from({ length: 3 }, () => ({ first: logIndex(5), last: logIndex(2 ** 53 - 2), term: term(2) })),
    })
    expect(decodePeerFrame(encodePeerFrame(frameOf(endless, recordsFrom(5, [2]))))).toMatchObject(malformed)
  })

  test('any flipped bit in the header is found, and any cut', () => {
    const encoded = encodePeerFrame(frameOf(append({ runs: [] })))
    for (let at = 0; at < encoded.length; at += 1) {
      const changed = Buffer.from(encoded)
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8))
      expect([at, decodePeerFrame(changed).ok]).toEqual([at, false])
      if (at >= 5) expect(decodePeerFrame(changed)).toMatchObject({ error: { code: 'CORRUPT_FRAME' } })
      expect(decodePeerFrame(encoded.subarray(0, at)).ok).toBe(false)
    }
  })

  test('random bytes never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (garbage) => {
        expect(decodePeerFrame(Buffer.from(garbage)).ok).toBe(false)
      }),
    )
  })
})
