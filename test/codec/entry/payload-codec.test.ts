import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nodeId } from '../../../src/base/brand.ts'
import { rowsDigest } from '../rows/rows-digest.ts'
import { COMMAND_INPUT_BYTES_MAX, PACKED_NAME_BYTES_MAX } from '../../../src/codec/entry/client-request.ts'
import { DEFAULT_LIMITS } from '../../../src/codec/entry/default-limits.ts'
import type { ClientRequestPayload, PayloadByKind } from '../../../src/codec/entry/payload.ts'
import {
  clientRequestLength,
  decodeClientRequest,
  encodeClientRequest,
  isName,
  writeClientRequest,
} from '../../../src/codec/entry/client-request.ts'
import { decodePayload, encodePayload } from '../../../src/codec/entry/payload-codec.ts'
import { ENTRY_PAYLOAD_BYTES_MAX } from '../../../src/codec/entry/record.ts'
import { ValueError } from '../../../src/codec/value/value-error.ts'
import { decodeValue } from '../../../src/codec/value/decode.ts'
import { encodeValue } from '../../../src/codec/value/encode.ts'
import { sample } from '../../effort.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

const numbers = { group: 0, incarnation: 1, index: 123 }
const member = (id: string) => ({
  id: nodeId(id),
  address: `${id}.example:7400`,
  instanceId: '0123456789abcdef0123456789abcdef',
})

const EXAMPLES: { readonly [Kind in keyof PayloadByKind]: PayloadByKind[Kind] } = {
  Configuration: {
    clusterId: 'c1',
    incarnation: 1,
    voters: [member('a'), member('b')],
    learners: [member('c')],
    outgoing: [member('a'), member('d')],
    promoting: [nodeId('c')],
    removed: [{ id: nodeId('d'), instanceId: '0d' }],
  },
  Limits: DEFAULT_LIMITS,
  OpenSession: {
    secretHash: new Uint8Array(32).fill(7),
    principal: 'user:1',
    roles: ['user'],
    capabilities: { tasks: ['a'], nested: { b: 1 } },
    name: 'app',
    timeoutMs: 30_000,
    validUntil: 1_700_000_000_000,
    ordered: true,
  },
  AttachSession: { ...numbers, secretHash: new Uint8Array(32), replaces: 0, nonce: new Uint8Array(16).fill(1) },
  ServerRequestAck: { ...numbers, epoch: 130, serverRequestId: 5 },
  KeepAlive: { sessions: [numbers, { group: 0, incarnation: 1, index: 2 ** 40 }] },
  ExpireSessions: { sessions: [{ ...numbers, renewedAtIndex: 99 }] },
  CloseSession: { ...numbers, epoch: 130, secretHash: new Uint8Array(0) },
  RetryServerRequests: { sessions: [] },
  AdvanceVersion: { machines: [{ machine: 'payments', to: 2, schema: 'ab'.repeat(32) }] },
  SkipEntry: { index: 77, part: 'command' },
  EvictSession: { ...numbers, note: 'stolen device' },
  MoveDeadLetters: { move: 'redrive', letters: [3, 1] },
  ForgetSubject: { subject: new Uint8Array(32).fill(9) },
  ScheduleNext: {
    steps: [
      {
        machine: 'reports',
        name: 'nightly/north',
        kind: 'next',
        revision: 12,
        after: 1_700_000_000_000,
        upTo: 1_700_000_000_000,
        missed: 0,
        times: [1_700_000_060_000],
        stop: '',
      },
    ],
  },
}

const request: ClientRequestPayload = {
  group: 1,
  incarnation: 2,
  index: 3,
  epoch: 4,
  requestId: 5,
  lowestPendingRequestId: 6,
  ackServerRequests: 7,
  hashHigh: 0x89abcdef,
  hashLow: 0x01234567,
  version: 8,
  machine: 'counter',
  command: 'increment',
  input: Uint8Array.of(0x81, 0xa1, 0x61, 0x01),
}

const GOLDEN_REQUEST =
  '0000000100000002' +
  '0000000000000003' +
  '0000000000000004' +
  '0000000000000005' +
  '0000000000000006' +
  '0000000000000007' +
  '89abcdef01234567' +
  '00000008' +
  '0709' +
  '636f756e746572' +
  '696e6372656d656e74' +
  '81a16101'

describe('payloads that are values', () => {
  test.each(Object.keys(EXAMPLES) as (keyof PayloadByKind)[])('UPC-3 %s decodes to what was encoded', (kind) => {
    const encoded = encodePayload(kind, EXAMPLES[kind])
    expect(decodePayload(kind, encoded)).toEqual(EXAMPLES[kind])
    expect(hex(encodePayload(kind, decodePayload(kind, encoded)))).toBe(hex(encoded))
  })

  test('a Configuration says on what terms there are leases, or nothing of them', () => {
    const withLease = { ...EXAMPLES.Configuration, lease: { ms: 300, driftPermille: 100 } }
    expect(decodePayload('Configuration', encodePayload('Configuration', withLease))).toEqual(withLease)
    expect(decodePayload('Configuration', encodePayload('Configuration', EXAMPLES.Configuration))).not.toHaveProperty(
      'lease',
    )
  })

  test('golden bytes of the first entry of a cluster', () => {
    expect(
      hex(
        encodePayload('Configuration', {
          clusterId: 'c',
          incarnation: 1,
          voters: [{ id: nodeId('a'), address: 'h:1', instanceId: 'i' }],
          learners: [],
          outgoing: [],
          promoting: [],
          removed: [],
        }),
      ),
    ).toBe(
      '84a9636c75737465724964a163ab696e6361726e6174696f6e01a6766f746572739183a26964a161a761646472657373a3683a31aa696e7374616e63654964a169a86c6561726e65727390',
    )
  })

  test('golden bytes of a joint configuration, with a disk that is being replaced and one that is none any more', () => {
    const disk = (id: string, instanceId: string) => ({ id: nodeId(id), address: 'h:1', instanceId })
    const [a, b, j] = [
      '83a26964a161a761646472657373a3683a31aa696e7374616e63654964a169',
      '83a26964a162a761646472657373a3683a31aa696e7374616e63654964a169',
      '83a26964a162a761646472657373a3683a31aa696e7374616e63654964a16a',
    ]
    const joint = {
      clusterId: 'c',
      incarnation: 1,
      voters: [disk('a', 'i')],
      learners: [disk('b', 'j')],
      outgoing: [disk('a', 'i'), disk('b', 'i')],
      promoting: [nodeId('b')],
      removed: [{ id: nodeId('d'), instanceId: 'k' }],
    }
    const bytes =
      `87a9636c75737465724964a163ab696e6361726e6174696f6e01a6766f7465727391${a}a86c6561726e65727391${j}` +
      `a86f7574676f696e6792${a}${b}a970726f6d6f74696e6791a162a772656d6f7665649182a26964a164aa696e7374616e63654964a16b`
    expect(hex(encodePayload('Configuration', joint))).toBe(bytes)
    expect(decodePayload('Configuration', Uint8Array.from(Buffer.from(bytes, 'hex')))).toEqual(joint)
  })

  test('operators’ entries have the bytes that docs/format.md states', () => {
    expect(hex(encodePayload('EvictSession', { group: 0, incarnation: 1, index: 4, note: '' }))).toBe(
      '84a567726f757000ab696e6361726e6174696f6e01a5696e64657804a46e6f7465a0',
    )
    expect(hex(encodePayload('MoveDeadLetters', { move: 'redrive', letters: [3] }))).toBe(
      '82a46d6f7665a772656472697665a76c6574746572739103',
    )
    expect(hex(encodePayload('ForgetSubject', { subject: new Uint8Array(32).fill(9) }))).toBe(
      `81a77375626a656374c420${'09'.repeat(32)}`,
    )
  })

  test('golden bytes of a list of sessions', () => {
    expect(hex(encodePayload('KeepAlive', EXAMPLES.KeepAlive))).toBe('9600017b0001cf0000010000000000')
  })

  test('the bytes do not depend on the order in which the fields came', () => {
    const [advance] = EXAMPLES.AdvanceVersion.machines
    const { machine, to, schema } = advance as NonNullable<typeof advance>
    expect(hex(encodePayload('AdvanceVersion', { machines: [{ schema, to, machine }] }))).toBe(
      hex(encodePayload('AdvanceVersion', { machines: [{ machine, to, schema }] })),
    )
  })

  test('AdvanceVersion has the bytes that docs/format.md states', () => {
    expect(hex(encodePayload('AdvanceVersion', { machines: [{ machine: 'a', to: 2, schema: '' }] }))).toBe(
      '81a86d616368696e65739183a76d616368696e65a161a2746f02a6736368656d61a0',
    )
  })

  test.each<[keyof PayloadByKind, unknown]>([
    ['AdvanceVersion', null],
    ['AdvanceVersion', { machine: 'a', to: 2 }],
    ['AdvanceVersion', { machines: [{ machine: 'a', to: 2 }] }],
    ['AdvanceVersion', { machines: [{ machine: 'a', to: '2', schema: '' }] }],
    ['AdvanceVersion', { machines: [{ machine: 'a', to: 2.5, schema: '' }] }],
    ['AdvanceVersion', { machines: [{ machine: 'a', to: 0, schema: '' }] }],
    ['AdvanceVersion', { machines: [{ machine: 'a', to: 2, schema: 'abc' }] }],
    ['AdvanceVersion', { machines: [{ machine: 'a', to: 2, schema: '', more: 1 }] }],
    ['AdvanceVersion', { machines: [{ machine: '', to: 2, schema: '' }] }],
    ['ServerRequestAck', { ...numbers, epoch: -1, serverRequestId: 5 }],
    ['ServerRequestAck', { ...numbers, group: 2 ** 32, epoch: 1, serverRequestId: 5 }],
    ['OpenSession', { ...EXAMPLES.OpenSession, secretHash: new Uint8Array(31) }],
    ['OpenSession', { ...EXAMPLES.OpenSession, roles: [1] }],
    ['OpenSession', { ...EXAMPLES.OpenSession, capabilities: [] }],
    ['OpenSession', { ...EXAMPLES.OpenSession, ordered: 1 }],
    ['Configuration', { ...EXAMPLES.Configuration, lease: { ms: 0, driftPermille: 100 } }],
    ['Configuration', { ...EXAMPLES.Configuration, lease: { ms: 300, driftPermille: 501 } }],
    ['Configuration', { ...EXAMPLES.Configuration, voters: [{ ...member('a'), id: 'A B' }] }],
    ['KeepAlive', [1, 2]],
    ['KeepAlive', [0, 1, '2']],
    ['ExpireSessions', [0, 1, 2]],
    ['Limits', { ...DEFAULT_LIMITS, windowRequests: 0 }],
    ['Limits', { ...DEFAULT_LIMITS, basedOn: -1 }],
    ['EvictSession', { ...numbers, note: 'x'.repeat(257) }],
    ['MoveDeadLetters', { move: 'keep', letters: [1] }],
    ['MoveDeadLetters', { move: 'discard', letters: [0] }],
  ])('%s refuses %j', (kind, value) => {
    expect(() => decodePayload(kind, encodeValue(value as never))).toThrow(ValueError)
  })

  test('no bytes do anything but decode or be refused with a ValueError', () => {
    const kinds = Object.keys(EXAMPLES) as (keyof PayloadByKind)[]
    const broken = fc.tuple(fc.constantFrom(...kinds), fc.nat(), fc.nat(255)).map(([kind, at, byte]) => {
      const encoded = encodePayload(kind, EXAMPLES[kind])
      encoded[at % encoded.length] = byte
      return [kind, encoded] as const
    })
    fc.assert(
      fc.property(fc.oneof(broken, fc.tuple(fc.constantFrom(...kinds), fc.uint8Array())), ([kind, input]) => {
        try {
          encodePayload(kind, decodePayload(kind, input))
        } catch (error) {
          expect(error).toBeInstanceOf(ValueError)
        }
      }),
      { numRuns: sample(500) },
    )
  })

  test('a Buffer in a payload is encoded as the bytes that it is', () => {
    const encoded = encodePayload('OpenSession', { ...EXAMPLES.OpenSession, secretHash: Buffer.alloc(32, 7) })
    expect(hex(encoded)).toBe(hex(encodePayload('OpenSession', EXAMPLES.OpenSession)))
  })
})

describe('the packed payload of ClientRequest', () => {
  test('golden bytes', () => {
    expect(hex(encodeClientRequest(request))).toBe(GOLDEN_REQUEST)
    expect(decodeClientRequest(encodeClientRequest(request))).toEqual(request)
  })

  test('UPC-3 it decodes to what was encoded, into a buffer of its own or of the caller', () => {
    const uint32 = fc.integer({ min: 0, max: 0xffffffff })
    const natural = fc.maxSafeNat()
    const name = fc.string({ unit: fc.constantFrom('a', 'Z', '0', '.', '-'), maxLength: 255 })
    const requests = fc.record({
      group: uint32,
      incarnation: uint32,
      index: natural,
      epoch: natural,
      requestId: natural,
      lowestPendingRequestId: natural,
      ackServerRequests: natural,
      hashHigh: uint32,
      hashLow: uint32,
      version: uint32,
      machine: name,
      command: name,
      input: fc.uint8Array(),
    })
    fc.assert(
      fc.property(requests, fc.nat(9), (payload, offset) => {
        expect(decodeClientRequest(encodeClientRequest(payload))).toEqual(payload)
        const target = new Uint8Array(offset + clientRequestLength(payload) + 3).fill(0xee)
        const end = writeClientRequest(target, offset, payload)
        expect(end).toBe(offset + clientRequestLength(payload))
        expect(hex(target.subarray(offset, end))).toBe(hex(encodeClientRequest(payload)))
        expect([...target.subarray(0, offset), ...target.subarray(end)].every((byte) => byte === 0xee)).toBe(true)
      }),
      { numRuns: sample(200) },
    )
  })

  test('bytes that are cut, names that are not ASCII and numbers beyond 2^53-1 are refused', () => {
    const good = encodeClientRequest(request)
    for (let length = 0; length < 62 + 16; length += 1)
      expect(() => decodeClientRequest(good.subarray(0, length))).toThrow(ValueError)
    const bad = (offset: number, byte: number): Uint8Array =>
      good.map((value, index) => (index === offset ? byte : value))
    expect(() => decodeClientRequest(bad(62, 0xc3))).toThrow(ValueError)
    for (const offset of [8, 16, 24, 32, 40])
      expect(() => decodeClientRequest(bad(offset + 1, 0x20))).toThrow(ValueError)
  })

  test('what does not fit is a programmer error', () => {
    expect(() => encodeClientRequest({ ...request, requestId: 2 ** 53 })).toThrow('2^53-1')
    expect(() => encodeClientRequest({ ...request, version: -1 })).toThrow('uint32')
    expect(() => encodeClientRequest({ ...request, machine: 'é' })).toThrow('ASCII')
    expect(() => encodeClientRequest({ ...request, machine: 'x'.repeat(256) })).toThrow('255')
    expect(() => writeClientRequest(new Uint8Array(10), 0, request)).toThrow('too short')
    for (let unit = 0; unit < 300; unit += 1) {
      expect(isName(`a${String.fromCharCode(unit)}`)).toBe(unit > 0x20 && unit < 0x7f)
    }
    expect(isName('x'.repeat(255))).toBe(true)
    expect([isName('payments'), isName(''), isName('a b'), isName('é'), isName('x'.repeat(256))]).toEqual([
      true,
      false,
      false,
      false,
      false,
    ])
  })
})

describe('what stands beside the payloads', () => {
  test('the digest of rows does not depend on how they were sliced, and sees every change', () => {
    const rows = [
      { key: 'a', value: Uint8Array.of(1) },
      { key: 'b', value: null },
      { key: 'c', value: new Uint8Array(0) },
      { key: 'd\xff', value: Uint8Array.of(2, 3) },
    ]
    const whole = rowsDigest(rows)
    expect(whole).toBe(0x8330f930)
    for (let cut = 0; cut <= rows.length; cut += 1)
      expect(rowsDigest(rows.slice(cut), rowsDigest(rows.slice(0, cut)))).toBe(whole)
    const others = [
      rows.slice(1),
      rows.with(1, { key: 'b', value: new Uint8Array(0) }),
      rows.with(0, { key: 'a', value: Uint8Array.of(2) }),
      rows.with(0, { key: 'b', value: Uint8Array.of(1) }),
      rows.toReversed(),
    ]
    for (const other of others) expect(rowsDigest(other)).not.toBe(whole)
  })

  test('the default limits are a legal payload and fit each other', () => {
    expect(decodePayload('Limits', encodePayload('Limits', DEFAULT_LIMITS))).toEqual(DEFAULT_LIMITS)
    expect(DEFAULT_LIMITS.responseBytesMax).toBeLessThanOrEqual(DEFAULT_LIMITS.cachedBytesMax)
    expect(DEFAULT_LIMITS.sessionTimeoutMinMs).toBeLessThan(DEFAULT_LIMITS.sessionTimeoutMaxMs)
  })

  test('the largest command that limits may allow fits one entry, and one byte more is refused', () => {
    const limits = { ...DEFAULT_LIMITS, commandBytesMax: COMMAND_INPUT_BYTES_MAX }
    expect(decodePayload('Limits', encodePayload('Limits', limits))).toEqual(limits)
    const longest = 'x'.repeat(PACKED_NAME_BYTES_MAX)
    const input = new Uint8Array(COMMAND_INPUT_BYTES_MAX)
    const numbers = { group: 0, incarnation: 0, index: 1, epoch: 1, requestId: 1, lowestPendingRequestId: 1 }
    const rest = { ackServerRequests: 0, hashHigh: 0, hashLow: 0, version: 1 }
    const request = { ...numbers, ...rest, machine: longest, command: longest, input }
    expect(clientRequestLength(request)).toBe(ENTRY_PAYLOAD_BYTES_MAX)
    const above = { ...limits, commandBytesMax: COMMAND_INPUT_BYTES_MAX + 1 }
    expect(() => encodePayload('Limits', above)).toThrow(/commandBytesMax/)
  })

  test('say nothing of waits where nothing was set, so that their bytes are as before there were waits', () => {
    const waits = { waitersPerKeyMax: 1, waitersPerSessionMax: 2, signalsPerKeyMax: 3, signalRetentionMaxMs: 4 }
    const plain = encodePayload('Limits', DEFAULT_LIMITS)
    expect(Object.keys(decodeValue(plain) as object)).not.toContain('waits')
    const limits = { ...DEFAULT_LIMITS, waits }
    expect(decodePayload('Limits', encodePayload('Limits', limits))).toEqual(limits)
    for (const wrong of [{ ...waits, signalsPerKeyMax: 0 }, { ...waits, more: 1 }, { waitersPerKeyMax: 1 }, 5])
      expect(() => encodePayload('Limits', { ...DEFAULT_LIMITS, waits: wrong as typeof waits })).toThrow(ValueError)
  })
})
