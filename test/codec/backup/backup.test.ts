import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { groupId, logIndex, nodeId, term } from '../../../src/base/brand.ts'
import { encodeBlock } from '../../../src/codec/backup/backup-block.ts'
import type { BackupFacts } from '../../../src/codec/backup/backup-facts.ts'
import { BackupError, type BackupPart, BackupReader } from '../../../src/codec/backup/backup-reader.ts'
import { BackupWriter } from '../../../src/codec/backup/backup-writer.ts'
import { EntryEncoder } from '../../../src/codec/entry/entry-encoder.ts'
import { encodePayload } from '../../../src/codec/entry/payload-codec.ts'
import { recordChain } from '../../../src/codec/entry/record.ts'
import { packRows } from '../../../src/codec/rows/packed-rows.ts'

const CHAIN = 0x1234

function record(index: number, previousChain: number): Uint8Array {
  const encoder = new EntryEncoder()
  const place = { group: groupId(0), index: logIndex(index), term: term(3), previousChain }
  encoder.append({ kind: 'Tick', ...place, lease: 10 * index, now: 1000 * index, payload: new Uint8Array(0) })
  return encoder.finish()
}

const FIRST = record(8, CHAIN)
const SECOND = record(9, recordChain(FIRST, 0))

const CONFIGURATION = encodePayload('Configuration', {
  clusterId: 'c1',
  incarnation: 1,
  voters: [{ id: nodeId('n1'), address: '10.0.0.1:4600', instanceId: 'a'.repeat(32) }],
  learners: [],
  outgoing: [],
  promoting: [],
  removed: [],
})

const FACTS: BackupFacts = {
  format: 1,
  createdMs: 1_700_000_000_000,
  node: 'n1',
  clusterId: 'c1',
  group: 0,
  incarnation: 1,
  development: false,
  holdfast: '0.1.0',
  snapshot: {
    lastIncludedIndex: 7,
    lastIncludedTerm: 3,
    chain: CHAIN,
    lease: 70,
    now: 7000,
    stateHash: '0123456789abcdef',
    rowCount: 2,
    digest: 99,
  },
  rows: 3,
  log: { first: 8, last: 9 },
  end: { index: 9, term: 3, chain: recordChain(SECOND, 0), lease: 90, now: 9000, stateHash: 'fedcba9876543210' },
  machines: { notes: 1 },
  limits: { snapshotBytes: 4096 },
  configuration: Buffer.from(CONFIGURATION).toString('base64'),
}

const value = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))
const ROWS = [
  packRows([
    { key: 'a', value: value('one') },
    { key: 'b', value: value('') },
  ]),
  packRows([{ key: 'c', value: value('three') }]),
] as const

/** The blocks of a whole backup. */
function blocks(): Uint8Array[] {
  const writer = new BackupWriter()
  return [
    writer.facts(FACTS),
    writer.log(FIRST, 1),
    writer.log(SECOND, 1),
    writer.packed(ROWS[0], 2),
    writer.packed(ROWS[1], 1),
    writer.totals(),
  ]
}

const whole = (): Uint8Array => new Uint8Array(Buffer.concat(blocks()))

function read(bytes: Uint8Array, pieceBytes = bytes.length): BackupPart[] {
  const reader = new BackupReader()
  const parts: BackupPart[] = []
  for (let offset = 0; offset < bytes.length; offset += Math.max(pieceBytes, 1)) {
    reader.push(bytes.subarray(offset, offset + pieceBytes))
    for (let part = reader.take(); part !== null; part = reader.take()) parts.push(part)
  }
  reader.end()
  return parts
}

/** Takes what is whole, wherever the file ends. */
function take(bytes: Uint8Array): void {
  const reader = new BackupReader()
  reader.push(bytes)
  while (reader.take() !== null);
}

describe('the file of a backup', () => {
  test('has the bytes that it had from the first on', () => {
    const golden = Buffer.from(readFileSync(new URL('./golden-backup.txt', import.meta.url), 'utf8'), 'base64')
    expect(golden.equals(whole())).toBe(true)
    expect(read(golden)).toMatchObject([{ kind: 'facts', facts: FACTS }, {}, {}, {}, {}, { kind: 'totals' }])
  })

  test.each([1, 7, 16, 100, 10_000])('is read alike in pieces of %i bytes', (pieceBytes) => {
    const parts = read(whole(), pieceBytes)
    expect(parts.map(({ kind }) => kind)).toEqual(['facts', 'log', 'log', 'rows', 'rows', 'totals'])
    expect(parts.slice(1, 5)).toEqual([
      { kind: 'log', records: FIRST, first: 8, last: 8 },
      { kind: 'log', records: SECOND, first: 9, last: 9 },
      { kind: 'rows', bytes: ROWS[0], rows: 2 },
      { kind: 'rows', bytes: ROWS[1], rows: 1 },
    ])
  })

  test('is refused with any byte altered, by any bit', () => {
    const bytes = whole()
    for (let at = 0; at < bytes.length; at += 1) {
      for (let bit = 1; bit < 256; bit <<= 1) {
        const altered = Buffer.from(bytes)
        altered[at] = (altered[at] ?? 0) ^ bit
        expect(() => read(altered), `byte ${at}, bit ${bit}`).toThrow(BackupError)
      }
    }
  })

  test('is refused when it is cut off anywhere, and when anything follows it', () => {
    const bytes = whole()
    for (let length = 0; length < bytes.length; length += 1)
      expect(() => read(bytes.subarray(0, length)), `${length} bytes`).toThrow(BackupError)
    expect(() => read(Buffer.concat([bytes, Buffer.of(0)]))).toThrow('bytes follow the last block')
    expect(() => read(Buffer.concat([bytes, bytes]))).toThrow('bytes follow the last block')
  })

  test('is refused without one of its blocks, with one twice, and with two in each other’s place', () => {
    const all = blocks()
    for (let at = 0; at < all.length; at += 1) {
      expect(() => read(Buffer.concat(all.filter((_, other) => other !== at))), `without ${at}`).toThrow(BackupError)
      expect(
        () => read(Buffer.concat(all.flatMap((block, other) => (other === at ? [block, block] : [block])))),
        `twice ${at}`,
      ).toThrow(BackupError)
      const swapped = [...all]
      const next = (at + 1) % all.length
      ;[swapped[at], swapped[next]] = [all[next] as Uint8Array, all[at] as Uint8Array]
      expect(() => read(Buffer.concat(swapped)), `swapped ${at}`).toThrow(BackupError)
    }
  })

  test('is refused with another block in a block’s place, although it has as many rows and bytes and its own checksum', () => {
    const other = encodeBlock('rows', packRows([{ key: 'c', value: value('THREE') }]))
    const all = blocks()
    expect(all[4]?.length).toBe(other.length)
    expect(() => read(Buffer.concat(all.map((block, at) => (at === 4 ? other : block))))).toThrow(
      'others than were written',
    )
  })

  test('of a newer format is refused with what to do', () => {
    const facts = encodeBlock('facts', Buffer.from(JSON.stringify({ ...FACTS, format: 2 })))
    expect(() => read(facts)).toThrow('Use the newer build')
  })

  test('whose entries are of another history than its state is refused', () => {
    const other = record(8, CHAIN + 1)
    const writer = new BackupWriter()
    const bytes = Buffer.concat([writer.facts(FACTS), writer.log(other, 1)])
    expect(() => read(bytes)).toThrow('does not follow')
  })

  const snapshot = FACTS.snapshot as NonNullable<BackupFacts['snapshot']>
  test.each<[string, object]>([
    ['nothing but a format', { format: 1 }],
    ['a name of another type', { ...FACTS, rows: '3' }],
    ['an end without a chain', { ...FACTS, end: { ...FACTS.end, chain: undefined } }],
    ['no configuration', { ...FACTS, configuration: 'AAAA' }],
    ['rows of no state', { ...FACTS, snapshot: null, log: { first: 1, last: 9 } }],
    ['an end beyond its state and no entries', { ...FACTS, log: null }],
    ['entries that begin behind its state', { ...FACTS, log: { first: 9, last: 9 } }],
    ['entries that do not reach its end', { ...FACTS, log: { first: 8, last: 8 } }],
    ['a state beyond its end', { ...FACTS, snapshot: { ...snapshot, lastIncludedIndex: 10 } }],
  ])('whose facts are %s is refused before anything else is taken', (_, facts) => {
    const bytes = encodeBlock('facts', Buffer.from(JSON.stringify(facts)))
    const damage = expect.objectContaining({ name: 'BackupError', code: 'BACKUP_DAMAGED' })
    expect(() => take(bytes)).toThrow(damage)
  })

  test('is refused where its state is as of another entry in the middle of a block', () => {
    const both = Buffer.concat([FIRST, SECOND])
    const at = (chain: number): (() => unknown) => {
      const writer = new BackupWriter()
      const facts = { ...FACTS, snapshot: { ...snapshot, lastIncludedIndex: 8, chain } }
      return () => take(Buffer.concat([writer.facts(facts), writer.log(both, 2)]))
    }
    expect(at(recordChain(FIRST, 0))).not.toThrow()
    expect(at(recordChain(FIRST, 0) + 1)).toThrow('do not lead to its state')
  })
})
