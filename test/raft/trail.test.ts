import fc from 'fast-check'
import { expect, test } from 'vitest'
import { logIndex, type Term, term } from '../../src/base/brand.ts'
import {
  bytesBetween,
  lastWithin,
  noSizes,
  uncommittedBytes,
  withCommitted,
  withProposal,
} from '../../src/raft/sizes.ts'
import {
  compactedTo,
  firstMissing,
  lastIndexOf,
  lastIndexWithTermAtMost,
  type Trail,
  runsBetween,
  trailFrom,
  trailTermAt,
  withoutFrom,
} from '../../src/raft/trail.ts'
import { sample } from '../effort.ts'

/** A log as a plain list of terms that never fall: entry i has index i + 1. */
const logs = fc.array(fc.nat(2), { maxLength: 20 }).map((steps) => {
  let value = 1
  return steps.map((step) => {
    value += step === 2 ? 1 : 0
    return value
  })
})

const runsOf = (terms: readonly number[], from = 0) =>
  terms.map((value, at) => ({ first: logIndex(from + at + 1), last: logIndex(from + at + 1), term: term(value) }))
const trailOf = (terms: readonly number[]): Trail => trailFrom({ index: logIndex(0), term: term(0) }, runsOf(terms))
const termsOf = (trail: Trail): (Term | null)[] =>
  Array.from({ length: lastIndexOf(trail) }, (_, at) => trailTermAt(trail, logIndex(at + 1)))

test('a trail is its list of terms, in runs that differ from their neighbours', () => {
  fc.assert(
    fc.property(logs, (terms) => {
      const trail = trailOf(terms)
      expect(termsOf(trail)).toEqual(terms)
      expect(trail.runs.length).toBe(new Set(terms).size)
      expect(trailTermAt(trail, logIndex(0))).toBe(0)
      expect(trailTermAt(trail, logIndex(terms.length + 1))).toBeNull()
    }),
  )
})

test('truncating keeps the entries below, compacting those above and the term at the border', () => {
  fc.assert(
    fc.property(logs, fc.nat(20), (terms, cut) => {
      const trail = trailOf(terms)
      expect(termsOf(withoutFrom(trail, logIndex(cut + 1)))).toEqual(terms.slice(0, cut))
      if (cut > terms.length) return
      const compacted = compactedTo(trail, logIndex(cut))
      expect(lastIndexOf(compacted)).toBe(terms.length)
      const expected = terms.map((value, at) => (at + 1 < cut ? null : value))
      expect(termsOf(compacted)).toEqual(expected)
    }),
  )
})

test('runs between two indexes cover exactly these entries', () => {
  fc.assert(
    fc.property(logs, fc.nat(20), fc.nat(20), (terms, from, count) => {
      const last = Math.min(terms.length, from + count)
      const runs = runsBetween(trailOf(terms), logIndex(from + 1), logIndex(last))
      expect(runs.flatMap((run) => Array.from({ length: run.last - run.first + 1 }, () => run.term))).toEqual(
        terms.slice(from, last),
      )
    }),
  )
})

test('the first missing entry is the first that differs or lies beyond the end', () => {
  fc.assert(
    fc.property(logs, logs, fc.nat(20), (own, other, prev) => {
      const start = Math.min(prev, other.length)
      const received = trailFrom({ index: logIndex(start), term: term(0) }, runsOf(other.slice(start), start)).runs
      const at = other.findIndex((value, index) => index >= start && own[index] !== value)
      expect(firstMissing(trailOf(own), received)).toBe(at === -1 ? null : at + 1)
    }),
    { numRuns: sample(300) },
  )
})

test('the repair hint is the last index at or below the bound whose term is not above', () => {
  fc.assert(
    fc.property(logs, fc.nat(25), fc.nat(8), (terms, index, bound) => {
      const oracle = terms.findLastIndex((value, at) => at + 1 <= index && value <= bound) + 1
      const found = lastIndexWithTermAtMost(trailOf(terms), logIndex(index), term(bound))
      expect(found).toEqual({ index: oracle, term: terms[oracle - 1] ?? 0 })
    }),
  )
})

test('sizes are exact at the borders of proposals, and windows take the most that fits, at least one entry', () => {
  const proposals = fc.array(fc.record({ count: fc.integer({ min: 1, max: 5 }), bytes: fc.nat(1000) }), {
    minLength: 1,
    maxLength: 10,
  })
  fc.assert(
    fc.property(proposals, fc.nat(3000), fc.nat(60), (batches, room, commit) => {
      let sizes = noSizes(logIndex(3))
      let last = 3
      const borders = [3]
      for (const { count, bytes } of batches) {
        last += count
        sizes = withProposal(sizes, { lastIndex: logIndex(last), bytes })
        borders.push(last)
      }
      batches.forEach(({ bytes }, at) => {
        expect(bytesBetween(sizes, logIndex((borders[at] ?? 0) + 1), logIndex(borders[at + 1] ?? 0))).toBe(bytes)
      })
      const first = logIndex(4)
      const until = lastWithin(sizes, { first, last: logIndex(last) }, room)
      if (until > 4) expect(bytesBetween(sizes, first, until)).toBeLessThanOrEqual(room)
      if (until < last) expect(bytesBetween(sizes, first, logIndex(until + 1))).toBeGreaterThan(room)
      const committed = logIndex(Math.min(last, commit))
      expect(uncommittedBytes(withCommitted(sizes, committed), committed)).toBe(uncommittedBytes(sizes, committed))
    }),
  )
})
