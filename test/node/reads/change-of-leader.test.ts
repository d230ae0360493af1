import { expect, test } from 'vitest'
import { logIndex, term } from '../../../src/base/brand.ts'
import { ReadRequests } from '../../../src/node/reads/read-requests.ts'

/** Reads of a node whose leader leads in `office`; null: it knows of none. */
function requests() {
  const world = { office: term(1) as ReturnType<typeof term> | null, applied: 10, asked: [] as number[], served: 0 }
  const reads = new ReadRequests({
    clock: { monotonicMs: () => 0, defer: () => undefined },
    askAgainMs: 100,
    machine: { limits: { responseBytesMax: 1 } },
    office: () => world.office,
    leads: () => false,
    applied: () => logIndex(world.applied),
    ask: (id) => world.asked.push(id),
    schedule: () => undefined,
  })
  const sink = {
    begun: () => undefined,
    ready: () => {
      world.served += 1
    },
    failed: () => undefined,
  }
  reads.add(sink, 1000)
  reads.run()
  return { world, reads }
}

test('what a leader has answered, and is not applied yet, is asked of the next: it may have been in limbo', () => {
  const { world, reads } = requests()
  reads.ready(1, logIndex(12))
  reads.run()
  expect(world.asked).toEqual([1])
  world.office = null
  reads.run()
  // The same node perhaps, but in another term: what its log held is not what it holds.
  world.office = term(2)
  reads.run()
  expect(world.asked).toEqual([1, 2])
  reads.ready(2, logIndex(10))
  reads.serve()
  expect(world.served).toBe(1)
})

test('what is applied is not asked for again', () => {
  const { world, reads } = requests()
  reads.ready(1, logIndex(10))
  world.office = term(2)
  reads.run()
  expect(world.asked).toEqual([1])
  reads.serve()
  expect(world.served).toBe(1)
})
