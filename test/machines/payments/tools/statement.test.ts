import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MPESA_STATEMENT, statementColumns } from '../../../../src/machines/payments/tools/statement-columns.ts'
import { csvRows } from '../../../../src/machines/payments/tools/statement-csv.ts'
import { readStatement, statementAmount } from '../../../../src/machines/payments/tools/statement.ts'
import { sample } from '../../../effort.ts'

const HEADER =
  'Receipt No.,Completion Time,Initiation Time,Details,Transaction Status,Paid In,Withdrawn,Balance,Balance Confirmed,Reason Type,Other Party Info,Linked Transaction ID,A/C No.'
const PREAMBLE = [
  'Account Holder:,"HOLDFAST, LTD"',
  'Short Code:,600000,,',
  'Time Period:,From 01-10-2026 To 31-10-2026',
  '',
]

const read = (...lines: string[]) => readStatement([...PREAMBLE, HEADER, ...lines, ''].join('\r\n'))
const line = (
  receipt: string,
  paidIn: string,
  withdrawn: string,
  more: { kind?: string; details?: string; status?: string; linked?: string } = {},
): string => {
  const { kind = 'Pay Bill Online', details = 'Pay Bill', status = 'Completed', linked = '' } = more
  return `${receipt},01-10-2026 10:15:12,01-10-2026 10:15:10,${details},${status},${paidIn},${withdrawn},"1,000,000.00",true,${kind},254700000000 - A PAYER,${linked},bkg-1`
}

describe('domain.md §3.14 a statement of M-PESA is read to the cent', () => {
  test('domain.md §3.14 what came, what left, charges, reversals and own transfers', () => {
    const statement = read(
      line('taa1aaaa01 ', '"1,500.00"', ''),
      line('TAA1AAAA01', '', '"-15.50"', { kind: 'Pay Bill Charge' }),
      line('TAA1AAAA02', '', '1500.00', { kind: 'Transaction Reversal', linked: 'TAA1AAAA01' }),
      line('TAA1AAAA03', '', '200', { kind: '', details: 'Reversal of TAA1AAAA09 by TAA1AAAA03' }),
      line('TAA1AAAA04', '0.00', '"(90,000.00)"', { kind: 'Organization Settlement' }),
      line('TAA1AAAA05', '700.00', '', { status: 'Failed' }),
      line('TAA1AAAA06', '0', ''),
    )
    const [payment, charge, reversal, named, transfer] = statement.lines
    expect(statement).toMatchObject({ duplicates: 0, ignored: 2, faults: [] })
    expect(statement.lines).toHaveLength(5)
    expect(payment).toEqual({
      line: 6,
      receipt: 'TAA1AAAA01',
      direction: 'in',
      kind: 'payment',
      amountMinor: 150_000,
      linked: null,
      completedAt: '01-10-2026 10:15:12',
      details: 'Pay Bill',
    })
    expect(charge).toMatchObject({ receipt: 'TAA1AAAA01', direction: 'out', kind: 'charge', amountMinor: 1550 })
    expect(reversal).toMatchObject({ direction: 'out', kind: 'reversal', amountMinor: 150_000, linked: 'TAA1AAAA01' })
    expect(named).toMatchObject({ kind: 'reversal', linked: 'TAA1AAAA09' })
    expect(transfer).toMatchObject({ direction: 'out', kind: 'transfer', amountMinor: 9_000_000 })
  })

  test('domain.md §3.14 the words of a payer make neither charge nor reversal of a payment', () => {
    const { lines } = read(
      line('R1', '100', '', { kind: '', details: 'Pay Bill from JOE REVERSAL Acc. CHARGE' }),
      line('R2', '100', '', { details: 'Pay Bill fee reversal' }),
      line('R3', '', '100', { kind: '', details: 'Business Payment to COFFEE SETTLEMENTS' }),
    )
    expect(lines.map(({ kind }) => kind)).toEqual(['payment', 'payment', 'payment'])
  })

  test('domain.md §3.14 a line that is repeated is taken once, one with another amount is refused', () => {
    expect(read(line('R1', '100', ''), line('R2', '5', ''), line('R1', '100.00', ''))).toMatchObject({
      lines: [{ receipt: 'R1' }, { receipt: 'R2' }],
      duplicates: 1,
    })
    expect(read(line('R1', '100', ''), line('R1', '101', ''))).toMatchObject({
      lines: [],
      faults: [{ line: 7, column: 1, reason: 'R1 stands in line 6 with another amount' }],
    })
  })

  test('domain.md §3.14 amounts that nothing costs, or that cannot be added up, are faults of their lines', () => {
    expect(read(line('R1', '10000000000.01', ''))).toMatchObject({
      lines: [],
      faults: [{ line: 6, reason: '"10000000000.01" is more than anything costs' }],
    })
    const many = Array.from({ length: 9_001 }, (_, number) => line(`R${number}`, '10000000000.00', ''))
    expect(read(...many)).toMatchObject({
      lines: [],
      faults: [{ line: 9_006, reason: 'all lines up to here together are more than can be added up' }],
    })
  })

  test.each<[string, string, { line: number; column: number; reason: RegExp }]>([
    ['letters for an amount', line('R1', 'abc', ''), { line: 6, column: 63, reason: /"abc" is no amount/ }],
    [
      'a separator between no thousands',
      line('R1', '"1,50"', ''),
      { line: 6, column: 63, reason: /"1,50" is no amount/ },
    ],
    ['thirds of a cent', line('R1', '1.005', ''), { line: 6, column: 63, reason: /no amount/ }],
    ['money that came and is negative', line('R1', '-5', ''), { line: 6, column: 63, reason: /negative/ }],
    ['money on both sides', line('R1', '5', '5'), { line: 6, column: 65, reason: /came and left/ }],
    ['no receipt', line('', '5', ''), { line: 6, column: 1, reason: /no receipt number/ }],
    ['a receipt with blanks', line('R 1', '5', ''), { line: 6, column: 1, reason: /is no receipt number/ }],
    ['text behind a quote', line('R1', '"5"0', ''), { line: 6, column: 66, reason: /closing quote/ }],
    ['a quote that is never closed', 'R1,"5', { line: 6, column: 4, reason: /never closed/ }],
  ])(
    'domain.md §3.14 a statement with %s is refused with line and column, and nothing of it counts',
    (_what, bad, { line: at, column, reason }) => {
      const { lines, faults } = read(bad)
      expect(lines).toEqual([])
      expect(faults).toMatchObject([{ line: at, column, reason: expect.stringMatching(reason) }])
    },
  )

  test('domain.md §3.14 a file without the columns is refused with their names', () => {
    expect(readStatement('a,b,c\n1,2,3\n').faults).toEqual([
      { line: 1, column: 1, reason: 'no row names the columns Receipt No., Paid In' },
    ])
    expect(readStatement('').faults).toHaveLength(1)
  })

  test('domain.md §3.14 a mapping names other columns, one signed amount, and another delimiter', () => {
    const mapping = statementColumns.partial().parse({
      delimiter: ';',
      receipt: 'Nummer',
      paidIn: ['none'],
      withdrawn: ['none'],
      amount: 'Betrag',
      status: ['none'],
    })
    const text = '\uFEFFNummer;Betrag\nR1;"1,500.00"\nR2;-12.50\n'
    expect(readStatement(text, Object.assign({}, MPESA_STATEMENT, mapping)).lines).toMatchObject([
      { receipt: 'R1', direction: 'in', amountMinor: 150_000 },
      { receipt: 'R2', direction: 'out', amountMinor: 1250 },
    ])
    expect(statementColumns.partial().safeParse({ reciept: 'x' }).success).toBe(false)
  })

  test('domain.md §3.14 the older layout of paybill statements is read without a mapping', () => {
    const text =
      'Receipt,Date,Details,Status,Withdrawn,Paid In,Balance,Balance Confirmed,Transaction Type,Other Party Info\nY29DW127,2009-08-26 12:39:42,Payment received,Completed,,200,"520,499",true,Pay Utility,0700000000 - A PAYER'
    expect(readStatement(text).lines).toMatchObject([{ receipt: 'Y29DW127', direction: 'in', amountMinor: 20_000 }])
  })
})

describe('domain.md §3.14 amounts of statements', () => {
  test.each<[string, number | null]>([
    ['1,500.00', 150_000],
    ['1500', 150_000],
    ['-1,500.5', -150_050],
    ['(1,500.00)', -150_000],
    ['KES 12.34', 1234],
    ['Ksh. 1,234,567.89', 123_456_789],
    ['-KES 5', -500],
    ['0.00', 0],
    ['-0', 0],
    ['1,5', null],
    ['15,00.00', null],
    ['1.2.3', null],
    ['1500.001', null],
    ['(5', null],
    ['-(5)', null],
    ['--5', null],
    ['1e3', null],
    ['', null],
    [',', null],
  ])('domain.md §3.14 %s', (text, minor) => {
    expect(statementAmount(text)).toBe(minor)
  })

  test('domain.md §3.14 every amount survives its own text with separators', () => {
    fc.assert(
      fc.property(fc.integer({ min: -9_999_999_999_999, max: 9_999_999_999_999 }), (minor) => {
        const cents = String(Math.abs(minor) % 100).padStart(2, '0')
        const text = `${minor < 0 ? '-' : ''}${Math.floor(Math.abs(minor) / 100).toLocaleString('en-US')}.${cents}`
        expect(statementAmount(text)).toBe(minor)
      }),
      { numRuns: sample(500) },
    )
  })
})

describe('domain.md §3.14 comma-separated values', () => {
  const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`
  const cell = fc
    .array(fc.constantFrom('a', '"', ',', '\n', '\r\n', ' ', ';', 'é'), { maxLength: 6 })
    .map((parts) => parts.join(''))

  test('domain.md §3.14 whatever was written in quotes is read again, and stands where it says', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constant('x'), cell, cell), { minLength: 1, maxLength: 5 }), (rows) => {
        const text = rows.map((row) => row.map(quoted).join(',')).join('\n')
        const read = csvRows(text, ',')
        if (!read.ok) throw new Error(read.fault.reason)
        expect(read.rows.map((row) => row.map((found) => found.text))).toEqual(rows)
        const starts = read.rows.flat().map(({ line: at, column }) => {
          const before = text.split(/\r\n|\n/).slice(at - 1)[0] ?? ''
          return before[column - 1]
        })
        expect(new Set(starts)).toEqual(new Set(['"']))
      }),
      { numRuns: sample(300) },
    )
  })

  test('domain.md §3.14 no text at all makes it throw', () => {
    const text = fc
      .array(fc.constantFrom('"', ',', '\n', '\r', 'a', '5', '\uFEFF', HEADER), { maxLength: 30 })
      .map((parts) => parts.join(''))
    fc.assert(
      fc.property(text, (input) => {
        expect(readStatement(input)).toHaveProperty('faults')
      }),
      { numRuns: sample(300) },
    )
  })
})
