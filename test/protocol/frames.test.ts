import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ByteReader, ByteWriter, FrameError } from '../../src/protocol/bytes.ts'
import { DownFrameReader, writeDown } from '../../src/protocol/down-frame.ts'
import type { DownMessage } from '../../src/protocol/down-message.ts'
import { FRAME_MESSAGE_HEADROOM, unwrapFrames, wrapFrame, wrapInPlace } from '../../src/protocol/frame-message.ts'
import { FRAME_BYTES_MAX } from '../../src/protocol/limits.ts'
import { FRAME_VERSION } from '../../src/protocol/frame.ts'
import { UpFrameReader, type UpMessage, writeUp } from '../../src/protocol/up-frame.ts'
import { downMessage, upMessage } from './arbitraries.ts'
import { sample } from '../effort.ts'

function upFrame(messages: readonly UpMessage[], writer = new ByteWriter(256)): Buffer {
  writer.byte(FRAME_VERSION)
  for (const message of messages) writeUp(writer, message)
  return writer.take()
}

function downFrame(messages: readonly DownMessage[], writer = new ByteWriter(256)): Buffer {
  writer.byte(FRAME_VERSION)
  for (const message of messages) writeDown(writer, message)
  return writer.take()
}

function readUps(frame: Uint8Array): { error: string | null; messages: UpMessage[] } {
  const messages: UpMessage[] = []
  const error = new UpFrameReader().read(frame, (message) => messages.push(message))
  return { error, messages }
}

function readDowns(frame: Uint8Array): { error: string | null; messages: DownMessage[] } {
  const messages: DownMessage[] = []
  const error = new DownFrameReader().read(frame, (message) => messages.push(message))
  return { error, messages }
}

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')
const bytes = (text: string): Buffer => Buffer.from(text, 'hex')

/** The layout of docs/format.md, "Session frames". A change here breaks every client: it needs a new frame version. */
const GOLDEN_UP: readonly (readonly [string, UpMessage, string])[] = [
  [
    'a request',
    {
      kind: 'request',
      channel: 5,
      requestId: 300,
      lowestPendingRequestId: 299,
      ackServerRequests: 0,
      machine: 'counter',
      command: 'inc',
      input: bytes('8101'),
    },
    '01 03 05 ac02 ab02 00 07 636f756e746572 03 696e63 02 8101',
  ],
  ['an ack', { kind: 'ack', channel: 1, serverRequestId: 2 ** 53 - 1 }, '01 04 01 ffffffffffffff0f'],
  ['a ping', { kind: 'ping', channel: 128 }, '01 05 8001'],
  ['a close', { kind: 'close', channel: 0 }, '01 07 00'],
  [
    'a subscribe',
    {
      kind: 'subscribe',
      channel: 2,
      subscriptionId: 7,
      incarnation: 3,
      minIndex: 9,
      machine: 'm',
      query: 'q',
      input: bytes('c0'),
    },
    '01 08 02 07 03 09 01 6d 01 71 01 c0',
  ],
  ['an unsubscribe', { kind: 'unsubscribe', channel: 2, subscriptionId: 7 }, '01 09 02 07'],
  [
    'a query that is bound to its session',
    {
      kind: 'boundQuery',
      channel: 2,
      correlationId: 7,
      consistency: 'stale',
      incarnation: 0,
      minIndex: 0,
      machine: 'm',
      query: 'q',
      input: bytes('c0'),
    },
    '01 0a 02 07 02 00 00 01 6d 01 71 01 c0',
  ],
  [
    'a query',
    {
      kind: 'query',
      channel: 0,
      correlationId: 7,
      consistency: 'sequential',
      incarnation: 3,
      minIndex: 9,
      machine: 'm',
      query: 'q',
      input: bytes('c0'),
    },
    '01 06 00 07 01 03 09 01 6d 01 71 01 c0',
  ],
  [
    'an open',
    {
      kind: 'open',
      channel: 1,
      secret: bytes('aa'.repeat(16)),
      principal: 'user:é',
      roles: ['r'],
      capabilities: bytes('80'),
      name: '',
      timeoutMs: 30000,
      validUntil: 1,
      ordered: true,
    },
    `01 01 01 10 ${'aa'.repeat(16)} 07 757365723ac3a9 01 01 72 01 80 00 b0ea01 01 01`,
  ],
  [
    'an attach',
    {
      kind: 'attach',
      channel: 1,
      group: 0,
      incarnation: 1,
      index: 123,
      secret: bytes('aa'.repeat(16)),
      replaces: 4,
      nonce: bytes('bb'.repeat(16)),
    },
    `01 02 01 00 01 7b 10 ${'aa'.repeat(16)} 04 10 ${'bb'.repeat(16)}`,
  ],
]

const GOLDEN_DOWN: readonly (readonly [string, DownMessage, string])[] = [
  [
    'a greeting',
    {
      kind: 'greeting',
      clusterId: 'c',
      group: 0,
      incarnation: 1,
      node: 'n1',
      leader: 'n2',
      leaderAddress: 'h:1',
      now: 5,
      commandBytesMax: 6,
      windowRequests: 7,
      credit: 8,
    },
    '01 01 01 63 00 01 02 6e31 02 6e32 03 683a31 05 06 07 08',
  ],
  [
    'opened',
    { kind: 'opened', channel: 1, group: 0, incarnation: 2, index: 3, existing: false },
    '01 02 01 00 02 03 00',
  ],
  [
    'attached',
    { kind: 'attached', channel: 1, epoch: 4, nextRequestId: 5, acknowledged: 6, timeoutMs: 7 },
    '01 03 01 04 05 06 07',
  ],
  [
    'a value',
    {
      kind: 'response',
      channel: 1,
      requestId: 2,
      answer: { kind: 'ok', index: 3, replayed: true, invalidAck: false, value: bytes('2a') },
    },
    '01 04 01 02 01 03 01 01 2a',
  ],
  [
    'a rejection',
    {
      kind: 'response',
      channel: 1,
      requestId: 2,
      answer: { kind: 'rejected', index: 3, replayed: false, invalidAck: true, code: 'NO', details: bytes('c0') },
    },
    '01 04 01 02 02 03 02 02 4e4f 01 c0',
  ],
  [
    'a refusal',
    {
      kind: 'response',
      channel: 1,
      requestId: 2,
      answer: { kind: 'refused', index: 3, code: 'NO', details: bytes('c0') },
    },
    '01 04 01 02 03 03 02 4e4f 01 c0',
  ],
  [
    'not executed',
    {
      kind: 'response',
      channel: 1,
      requestId: 2,
      answer: { kind: 'notExecuted', code: 'NO', details: bytes('c0') },
    },
    '01 04 01 02 04 02 4e4f 01 c0',
  ],
  [
    'unknown',
    { kind: 'response', channel: 1, requestId: 2, answer: { kind: 'unknown', code: 'X' } },
    '01 04 01 02 05 01 58',
  ],
  [
    'a server request',
    {
      kind: 'serverRequest',
      channel: 1,
      serverRequestId: 2,
      previousId: 1,
      attempt: 1,
      index: 9,
      now: 10,
      type: 't',
      payload: bytes('c0'),
    },
    '01 05 01 02 01 01 09 0a 01 74 01 c0',
  ],
  ['acknowledged', { kind: 'acknowledged', channel: 1, upTo: 2 }, '01 06 01 02'],
  ['a pong', { kind: 'pong', channel: 1 }, '01 07 01'],
  [
    'a query result',
    {
      kind: 'queryResult',
      correlationId: 1,
      index: 2,
      incarnation: 3,
      answer: { kind: 'ok', value: bytes('2a') },
    },
    '01 08 01 02 03 01 01 2a',
  ],
  ['closed', { kind: 'closed', channel: 1 }, '01 09 01'],
  ['ended', { kind: 'ended', channel: 1, reason: 'expired' }, '01 0a 01 01'],
  ['superseded', { kind: 'superseded', channel: 1 }, '01 0b 01'],
  [
    'refused',
    { kind: 'refused', channel: 1, subject: 'attach', code: 'NO', details: bytes('c0') },
    '01 0c 01 01 02 4e4f 01 c0',
  ],
  ['leader changed', { kind: 'leaderChanged', leader: 'n1', leaderAddress: 'h:1' }, '01 0d 02 6e31 03 683a31'],
  ['failed', { kind: 'failed', code: 'X', message: 'y' }, '01 0e 01 58 01 79'],
  [
    'a change',
    { kind: 'change', subscriptionId: 7, index: 300, compacted: true, value: bytes('2a') },
    '01 0f 07 ac02 01 01 2a',
  ],
  [
    'a subscription that ended',
    { kind: 'subscriptionEnded', subscriptionId: 7, reason: 'refused', code: 'NO', details: bytes('c0') },
    '01 10 07 01 02 4e4f 01 c0',
  ],
]

describe('golden bytes', () => {
  test.each(GOLDEN_UP)('%s from a client has the documented layout', (_name, message, layout) => {
    expect(upFrame([message]).toString('hex')).toBe(hex(layout).toString('hex'))
    expect(readUps(hex(layout))).toEqual({ error: null, messages: [message] })
  })

  test.each(GOLDEN_DOWN)('%s from a server has the documented layout', (_name, message, layout) => {
    expect(downFrame([message]).toString('hex')).toBe(hex(layout).toString('hex'))
    expect(readDowns(hex(layout))).toEqual({ error: null, messages: [message] })
  })
})

describe('round trips', () => {
  test('frames of many messages decode to what was encoded, through one writer and its slabs', () => {
    const writer = new ByteWriter(128)
    fc.assert(
      fc.property(fc.array(upMessage, { maxLength: 8 }), (messages) => {
        expect(readUps(upFrame(messages, writer))).toEqual({ error: null, messages })
      }),
    )
    fc.assert(
      fc.property(fc.array(downMessage, { maxLength: 8 }), (messages) => {
        expect(readDowns(downFrame(messages, writer))).toEqual({ error: null, messages })
      }),
    )
  })

  test('a frame that was taken is never written to again', () => {
    const writer = new ByteWriter(64)
    const first = upFrame([{ kind: 'ping', channel: 1 }], writer)
    const copy = Buffer.from(first)
    for (let count = 0; count < 100; count += 1)
      upFrame([{ kind: 'ack', channel: 2, serverRequestId: 2 ** 40 }], writer)
    expect(first.equals(copy)).toBe(true)
  })

  test('names whose bytes collide in the table stay apart', () => {
    const writer = new ByteWriter()
    const names = Array.from({ length: 2000 }, (_unused, index) => `name-${index}`)
    for (const value of [...names, ...names]) writer.text(value)
    const reader = new ByteReader()
    reader.reset(writer.take())
    expect([...names, ...names].map(() => reader.name(128))).toEqual([...names, ...names])
  })
})

describe('garbage', () => {
  test('random bytes are refused with a sentence or decode, and never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (garbage) => {
        for (const frame of [garbage, Buffer.concat([Buffer.from([FRAME_VERSION]), garbage])]) {
          for (const read of [readUps, readDowns]) expect(typeof (read(frame).error ?? '')).toBe('string')
        }
      }),
      { numRuns: sample(2000) },
    )
  })

  test('every cut and every changed byte of a valid frame is refused or decodes, and never throws', () => {
    const frame = Buffer.concat([upFrame(GOLDEN_UP.map(([, message]) => message))])
    for (let at = 0; at < frame.length; at += 1) {
      readUps(frame.subarray(0, at))
      for (const flip of [0xff, 0x80, 0x01]) {
        const changed = Buffer.from(frame)
        changed[at] = (changed[at] ?? 0) ^ flip
        readUps(changed)
      }
    }
    expect(readUps(frame.subarray(0, frame.length - 1)).error).toContain('too early')
  })

  test.each([
    ['an empty frame', '', 'the frame ends'],
    ['another version', '02 05 01', 'frame version 2'],
    ['an unknown kind', '01 63 01', 'kind 99 is unknown'],
    ['a number above 2^53-1', '01 04 01 ffffffffffffff1f', 'exceeds 2^53-1'],
    ['a number that never ends', `01 04 01 ${'ff'.repeat(12)}`, 'more than 8 bytes'],
    ['a number that is longer than it needs to be', '01 05 8000', 'longer than it needs'],
    ['a length beyond the frame', '01 03 01 01 01 00 7f', 'too early'],
    ['a name beyond its limit', `01 03 01 01 01 00 8101 ${'61'.repeat(129)}`, 'exceeds its limit'],
    ['a name that is not UTF-8', '01 03 01 01 01 00 01 ff 00 00', 'not UTF-8'],
    ['a boolean of 2', `01 01 01 10 ${'aa'.repeat(16)} 00 00 00 00 01 01 02`, 'not a boolean'],
  ])('%s is refused with a sentence', (_name, frame, sentence) => {
    expect(readUps(hex(frame)).error).toContain(sentence)
  })

  test('a frame beyond its limit is refused before it is looked at', () => {
    expect(readUps(Buffer.alloc(FRAME_BYTES_MAX + 1)).error).toContain('exceeds')
    expect(readDowns(Buffer.alloc(FRAME_BYTES_MAX + 1)).error).toContain('exceeds')
  })

  test('messages before the bad one are seen, messages behind it are not', () => {
    const frame = Buffer.concat([upFrame([{ kind: 'ping', channel: 1 }]), hex('63'), hex('05 02')])
    expect(readUps(frame)).toEqual({ error: 'message kind 99 is unknown', messages: [{ kind: 'ping', channel: 1 }] })
  })

  test('an error of the receiver is not mistaken for a bad frame', () => {
    const frame = upFrame([{ kind: 'ping', channel: 1 }])
    const explode = (): never => {
      throw new FrameError('from the receiver')
    }
    expect(() => new UpFrameReader().read(frame, explode)).toThrow('from the receiver')
  })
})

describe('the message around a frame', () => {
  test('wrapping has one inverse, in place or not, and is protobuf field 1', () => {
    expect(wrapFrame(bytes('0105')).toString('hex')).toBe('0a020105')
    expect(wrapFrame(Buffer.alloc(300)).subarray(0, 3).toString('hex')).toBe('0aac02')
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (frame) => {
        expect(unwrapFrames(wrapFrame(frame))).toEqual([Buffer.from(frame)])
        const roomy = Buffer.concat([Buffer.alloc(FRAME_MESSAGE_HEADROOM), frame])
        if (frame.length > 0) expect(wrapInPlace(roomy).equals(wrapFrame(frame))).toBe(true)
      }),
    )
  })

  test('messages joined end to end are one message with all their frames; a bad one among them spoils it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { minLength: 1, maxLength: 5 }),
        (frames) => {
          const joined = Buffer.concat(frames.map(wrapFrame))
          expect(unwrapFrames(joined)).toEqual(frames.map((frame) => Buffer.from(frame)))
          expect(unwrapFrames(Buffer.concat([joined, hex('0a05')]))).toBe(null)
          expect(unwrapFrames(joined.subarray(0, -1))).toBe(null)
        },
      ),
    )
  })

  test('bytes that are not that message are refused', () => {
    for (const text of ['08', '0a', '0a05', '0a0101ff', '0affffffffff', '120101'])
      expect(unwrapFrames(hex(text))).toBe(null)
    fc.assert(fc.property(fc.uint8Array({ maxLength: 50 }), (garbage) => void unwrapFrames(Buffer.from(garbage))))
  })
})
