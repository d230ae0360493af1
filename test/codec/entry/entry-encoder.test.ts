import { crc32 as native } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { groupId, logIndex, term } from '../../../src/base/brand.ts'
import { crc32, crc32OfUint32 } from '../../../src/codec/bytes/crc.ts'
import {
  ENTRY_HEADER_BYTES,
  EntryError,
  checkHeader,
  payloadAt,
  readHeader,
  recordLength,
  verifyEntry,
} from '../../../src/codec/entry/record.ts'
import { EntryEncoder } from '../../../src/codec/entry/entry-encoder.ts'
import { entryOffset, forEachOffset, verifyRecords } from '../../../src/codec/entry/batch.ts'
import { ENTRY_KINDS } from '../../../src/codec/entry/entry.ts'
import type { EntryKind } from '../../../src/codec/entry/entry.ts'
import { sample } from '../../effort.ts'

const GROUP = groupId(7)

function records(terms: readonly number[], first = 1, previousChain = 0): Uint8Array {
  const encoder = new EntryEncoder()
  let chain = previousChain
  terms.forEach((entryTerm, at) => {
    const payload = new Uint8Array(at * 3).fill(at + 1)
    const place = { group: GROUP, index: logIndex(first + at), term: term(entryTerm), previousChain: chain }
    chain = encoder.append({ kind: 'ClientRequest', ...place, lease: at, now: 1000 + at, payload })
  })
  return encoder.finish()
}

const CONTEXT = { group: GROUP, first: logIndex(1), previousTerm: term(0), previousChain: 0 }

describe('the checksum', () => {
  test('table and native code agree with zlib for every length and seed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 700 }), fc.nat(0xffffffff), (bytes, seed) => {
        expect(crc32(bytes, 0, bytes.length, seed)).toBe(native(bytes, seed))
      }),
      { numRuns: sample(200) },
    )
  })

  test('the checksum of a number is that of its big-endian bytes', () => {
    fc.assert(
      fc.property(fc.nat(0xffffffff), fc.nat(0xffffffff), (value, seed) => {
        const bytes = Buffer.alloc(4)
        bytes.writeUInt32BE(value)
        expect(crc32OfUint32(value, seed)).toBe(native(bytes, seed))
      }),
    )
  })
})

describe('the entry record', () => {
  test('the bytes of a record are those of docs/format.md', () => {
    const encoder = new EntryEncoder()
    const payload = new TextEncoder().encode('hold')
    const numbers = { index: logIndex(0x01_0203_0405), term: term(9), lease: 1_234, now: 1_700_000_000_123 }
    encoder.append({
      kind: 'ClientRequest',
      group: groupId(0xa0b0c0d0),
      ...numbers,
      previousChain: 0xdeadbeef,
      payload,
    })
    expect(
      Buffer.from(encoder.finish())
        .toString('hex')
        .match(/.{1,16}/g),
    ).toEqual([
      '01060100a0b0c0d0',
      '0000000102030405',
      '0000000000000009',
      '00000000000004d2',
      '0000018bcfe5687b',
      '00000004913f1203',
      'd16c651a00000000',
      '686f6c64',
    ])
  })

  test('a header reads back as it was written, for every kind', () => {
    const kinds = fc.constantFrom(...(Object.keys(ENTRY_KINDS) as EntryKind[]))
    const natural = fc.maxSafeNat()
    const numbers = fc.record({
      index: fc.integer({ min: 1 }),
      term: fc.integer({ min: 1 }),
      lease: natural,
      now: natural,
    })
    fc.assert(
      fc.property(
        kinds,
        numbers,
        fc.uint8Array({ maxLength: 300 }),
        fc.nat(255),
        (kind, { index, term: entryTerm, lease, now }, payload, flags) => {
          const encoder = new EntryEncoder()
          const place = { group: GROUP, index: logIndex(index), term: term(entryTerm), previousChain: 5 }
          const chain = encoder.append({ kind, ...place, lease, now, payload, flags, envelopeVersion: 3 })
          const bytes = encoder.finish()
          expect(readHeader(bytes, 0)).toMatchObject({
            kind,
            group: 7,
            index,
            term: entryTerm,
            lease,
            now,
            flags,
            envelopeVersion: 3,
            chain,
          })
          expect(recordLength(bytes, 0)).toBe(bytes.length)
          expect(verifyEntry(bytes, 0, 5)).toBe(null)
          expect(verifyEntry(bytes, 0, 6)).toBe('BAD_CHAIN')
        },
      ),
    )
  })

  test('one changed bit anywhere in a record is refused', () => {
    const bytes = records([1, 1, 2])
    const start = entryOffset(bytes, 2)
    for (let at = start; at < bytes.length; at += 1) {
      for (let bit = 0; bit < 8; bit += 1) {
        const damaged = bytes.slice()
        damaged[at] = (damaged[at] ?? 0) ^ (1 << bit)
        expect(verifyRecords(damaged, CONTEXT), `byte ${at} bit ${bit}`).toHaveProperty('reason')
      }
    }
  })

  test('a record cut short is refused, and so is any garbage, without a crash', () => {
    const bytes = records([1, 1])
    for (let length = 1; length < bytes.length; length += 1) {
      const whole = length === entryOffset(bytes, 1)
      expect('reason' in verifyRecords(bytes.subarray(0, length), CONTEXT)).toBe(!whole)
    }
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), (garbage) => {
        expect(checkHeader(garbage, 0)).not.toBe(null)
        expect(() => readHeader(garbage, 0)).toThrow(EntryError)
      }),
    )
  })

  test('a length beyond 16 MiB and a number beyond 2^53 are refused before anything is read', () => {
    const long = records([1])
    long.set([0x01, 0x00, 0x00, 0x01], 40)
    expect(checkHeader(long, 0)).toBe('TOO_LARGE')
    const large = records([1])
    large.set([0x00, 0x20], 8)
    expect(checkHeader(large, 0)).toBe('BAD_NUMBER')
    expect(checkHeader(records([1]), -1)).toBe('TRUNCATED')
  })

  test('the chain value depends on every record before', () => {
    const last = (bytes: Uint8Array): number => {
      const verified = verifyRecords(bytes, CONTEXT)
      return 'reason' in verified ? Number.NaN : verified.lastChain
    }
    expect(last(records([1, 1, 1]))).not.toBe(last(records([1, 1, 2])))
    const other = records([2, 2, 2])
    const first = records([1, 1, 1])
    const mixed = Buffer.concat([first.subarray(0, entryOffset(first, 1)), other.subarray(entryOffset(other, 1))])
    expect(verifyRecords(mixed, CONTEXT)).toEqual({ reason: 'BAD_CHAIN', offset: 56 })
  })

  test('a missing record, a falling term and a foreign group are refused', () => {
    const bytes = records([1, 2, 2])
    expect(verifyRecords(bytes, { ...CONTEXT, first: logIndex(2) })).toEqual({ reason: 'OUT_OF_ORDER', offset: 0 })
    expect(verifyRecords(bytes, { ...CONTEXT, group: groupId(8) })).toEqual({ reason: 'OUT_OF_ORDER', offset: 0 })
    expect(verifyRecords(bytes, { ...CONTEXT, previousTerm: term(3) })).toEqual({ reason: 'OUT_OF_ORDER', offset: 0 })
    expect(verifyRecords(records([2, 1]), CONTEXT)).toEqual({ reason: 'OUT_OF_ORDER', offset: 56 })
    expect(verifyRecords(bytes, CONTEXT)).toMatchObject({ count: 3, last: 3, lastTerm: 2 })
    expect(verifyRecords(new Uint8Array(0), CONTEXT)).toMatchObject({ count: 0, last: 0 })
  })

  test('the walks see every record once, in order', () => {
    const bytes = records([1, 1, 2, 5, 5], 10, 3)
    const seen: string[] = []
    forEachOffset(bytes, (offset) => {
      const { index, term: entryTerm } = readHeader(bytes, offset)
      seen.push(`${index}:${entryTerm}:${payloadAt(bytes, offset).length}`)
    })
    expect(seen).toEqual(['10:1:0', '11:1:3', '12:2:6', '13:5:9', '14:5:12'])
    expect(() => forEachOffset(bytes.subarray(0, bytes.length - 1), () => undefined)).toThrow(EntryError)
    expect(entryOffset(bytes, 5)).toBe(bytes.length)
    expect(() => entryOffset(bytes, 6)).toThrow(EntryError)
  })

  test('an encoder is used again after finish, and a reserved batch is one buffer without slack', () => {
    const encoder = new EntryEncoder()
    const entry = {
      kind: 'Noop',
      group: GROUP,
      index: logIndex(1),
      term: term(1),
      lease: 0,
      now: 0,
      previousChain: 0,
    } as const
    encoder.reserve(ENTRY_HEADER_BYTES + 10)
    encoder.append({ ...entry, payload: new Uint8Array(10) })
    const first = encoder.finish()
    expect(first.buffer.byteLength).toBe(66)
    encoder.append({ ...entry, payload: new Uint8Array(1) })
    expect(encoder.finish().length).toBe(57)
    expect(encoder.finish().length).toBe(0)
    expect(first.length).toBe(66)
  })
})
