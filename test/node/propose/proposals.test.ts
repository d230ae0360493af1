import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Proposals } from '../../../src/node/propose/proposals.ts'
import { sample } from '../../effort.ts'

const bounds = { countMax: 1000, bytesMax: 1 << 20 }
const bytes = (length: number, fill = 1): Uint8Array => new Uint8Array(length).fill(fill)

/** Deep equality of arrays of this size takes seconds. */
const holds =
  (length = 0, fill = 1) =>
  (payload: Uint8Array): boolean =>
    Buffer.compare(payload, bytes(length, fill)) === 0

describe('proposals', () => {
  test('are taken in order within both bounds, and the first always fits', () => {
    const proposals = new Proposals()
    for (const length of [50, 60, 10, 10, 10]) proposals.add('Tick', bytes(length), null)
    const take = (): number[] => proposals.take({ countMax: 2, bytesMax: 40 }).map((proposal) => proposal.length)
    expect([take(), take(), take(), take(), take()]).toEqual([[50], [60], [10, 10], [10], []])
  })

  test('are copied when they are added, whatever happens to the payload', () => {
    const proposals = new Proposals()
    const payload = bytes(3, 7)
    proposals.add('Tick', payload, null)
    payload.fill(0)
    const [taken] = proposals.take(bounds)
    if (taken === undefined) throw new Error('nothing taken')
    expect([...proposals.payload(taken)]).toEqual([7, 7, 7])
  })

  test('that are taken stay readable while others are added, until they are released', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 40_000 }), { maxLength: 8 }),
        fc.array(fc.nat({ max: 40_000 }), { maxLength: 8 }),
        (first, second) => {
          const proposals = new Proposals()
          for (const [at, length] of first.entries()) proposals.add('Tick', bytes(length, at + 1), null)
          const taken = proposals.take(bounds)
          for (const [at, length] of second.entries()) proposals.add('Tick', bytes(length, at + 101), null)
          for (const [at, proposal] of taken.entries())
            expect(proposals.payload(proposal)).toSatisfy(holds(first[at], at + 1))
          proposals.release()
          for (const [at, proposal] of proposals.take(bounds).entries())
            expect(proposals.payload(proposal)).toSatisfy(holds(second[at], at + 101))
        },
      ),
      { numRuns: sample(50) },
    )
  })

  test('the buffer of a burst is let go once it is empty, and the usual one is kept', () => {
    const proposals = new Proposals()
    proposals.add('Tick', bytes(8 << 20), null)
    proposals.take(bounds)
    expect(proposals.capacity).toBeGreaterThanOrEqual(8 << 20)
    proposals.release()
    expect(proposals.capacity).toBeLessThan(1 << 20)
    proposals.add('Tick', bytes(1 << 20), null)
    proposals.take(bounds)
    const usual = proposals.capacity
    proposals.release()
    expect(proposals.capacity).toBe(usual)
  })
})
