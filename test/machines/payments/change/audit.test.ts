import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type AuditRecord,
  auditGroupText,
  brokenAt,
  canonicalRecord,
  FIRST_HASH,
  hashRecord,
  parseAuditGroup,
  recordsOf,
} from '../../../../src/machines/payments/change/audit.ts'
import { codec } from '../../../session/log.ts'
import { CLIENT, World } from '../world.ts'

describe('domain.md §3.1 the audit trail', () => {
  test('PP9 the canonical text is JSON with sorted keys, whatever the texts hold', () => {
    const text = fc.option(fc.string({ unit: 'binary' }), { nil: null })
    fc.assert(
      fc.property(text, fc.string(), text, fc.nat(), (reason, by, ref, seq) => {
        const record = {
          seq,
          at: 1,
          bookingId: 'bkg-1',
          group: seq,
          entity: 'form',
          action: 'a',
          from: null,
          to: 'x',
          by,
          reason,
          ref,
          outcome: 'applied',
          code: null,
          prevHash: FIRST_HASH,
        } as const
        const sorted = Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)))
        expect(canonicalRecord(record)).toBe(JSON.stringify(sorted))
      }),
    )
  })

  test('PP9 the row of a group holds its records, each hashed over its canonical text', () => {
    const text = fc.option(fc.string({ unit: 'binary' }), { nil: null })
    const name = fc.option(fc.constantFrom('pending', 'paid', 'APPLIED'), { nil: null })
    const step = fc.record(
      {
        entity: fc.constantFrom('payment', 'session', 'video', 'refund', 'callback', 'form'),
        from: name,
        to: name,
        reason: text,
        ref: text,
      },
      { requiredKeys: ['entity', 'from', 'to'] },
    )
    const head = fc.record({ bookingId: text, by: fc.string({ unit: 'binary' }), at: fc.nat(), prevGroup: fc.nat() })
    fc.assert(
      fc.property(
        head,
        fc.array(step, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1 }),
        (about, steps, group) => {
          const whole = { ...about, action: 'cancel' }
          const prevHash = 'c'.repeat(64)
          const row = auditGroupText(group, { ...whole, prevHash }, steps, { hashHex: codec.sha256Hex })
          const parsed = parseAuditGroup(row.text)
          const { steps: written, ...rest } = parsed
          expect(rest).toEqual(whole)
          expect(written.map((columns) => columns.slice(0, 5))).toEqual(
            steps.map(({ entity, from, to, reason = null, ref = null }) => [entity, from, to, reason, ref]),
          )
          const records = recordsOf(group, parsed, prevHash)
          expect(brokenAt(records, codec.sha256Hex, prevHash)).toBeNull()
          expect(records.at(-1)?.hash).toBe(row.hash)
        },
      ),
    )
  })

  test('PP9 the chain verifies, and a change of any field of any record breaks it', () => {
    const world = new World()
    world.ok(CLIENT, 'cancel', { id: world.booked('ready'), reason: 'other' })
    for (const outcome of ['applied', 'rejected'] as const) {
      for (let again = 0; again < 3; again += 1) world.refused(CLIENT, 'cancel', { id: 'bkg-1', reason: 'other' })
      const records = world.audit(undefined, outcome)
      expect(records.map(({ seq }) => seq)).toEqual(records.map((_, index) => index + 1))
      expect(brokenAt(records, codec.sha256Hex, FIRST_HASH)).toBeNull()
      for (const [index, record] of records.entries()) {
        for (const field of Object.keys(record)) {
          const value = record[field as keyof AuditRecord]
          const forged = { ...record, [field]: typeof value === 'number' ? value + 1 : `${value}x` }
          expect(brokenAt(records.with(index, forged), codec.sha256Hex, FIRST_HASH), `${index} ${field}`).not.toBeNull()
        }
      }
      expect(brokenAt(records.toSpliced(1, 1), codec.sha256Hex, FIRST_HASH)).toBe(3)
    }
  })

  test('PP9 the hash of a record is SHA-256 over its sorted JSON', () => {
    const world = new World()
    world.booked('requested')
    const [first] = world.audit()
    if (first === undefined) throw new Error('no record')
    const { hash, ...rest } = first
    const sorted = JSON.stringify(Object.fromEntries(Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1))))
    expect(Buffer.from(codec.sha256(new TextEncoder().encode(sorted))).toString('hex')).toBe(hash)
    expect(hashRecord(rest, codec.sha256Hex)).toBe(hash)
    expect(rest.prevHash).toBe(FIRST_HASH)
  })

  test('domain.md §3.1 the rejected chain is a ring of 1000, the applied one is complete', () => {
    const world = new World()
    const id = world.booked('requested')
    const applied = world.audit().length
    for (let count = 0; count < 1005; count += 1)
      world.refused(CLIENT, 'cancel', { id: `bkg-${count + 2}`, reason: 'other' })
    const rejected = world.audit(undefined, 'rejected')
    expect(rejected).toHaveLength(1000)
    expect(rejected[0]).toMatchObject({ seq: 6, bookingId: 'bkg-7', code: 'NOT_FOUND' })
    expect(brokenAt(rejected, codec.sha256Hex)).toBeNull()
    expect(world.audit()).toHaveLength(applied)
    expect(world.triple(id)).toBe('pending/requested/not_started')
  })
})
