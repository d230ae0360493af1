import { expect, test } from 'vitest'
import { logIndex, term } from '../../../src/base/brand.ts'
import { ReadRequests } from '../../../src/node/reads/read-requests.ts'

/** Reads of a node whose leader leads in `office`; null: it knows of none. */
function requests() {
  const world = {
    office: term(1) as ReturnType<typeof term> | null,
    applied: 10,
    asked: [] as number[],
    served: 0,
    tried: 0,
    trials: 0,
  }
  const later = { read: [] as (() => void)[], turns: [] as (() => void)[] }
  const reads = new ReadRequests({
    clock: { monotonicMs: () => 0, defer: () => undefined },
    askAgainMs: 100,
    machine: {
      limits: { responseBytesMax: 1 },
      readable: true,
      underway: false,
      get appliedIndex() {
        return world.applied
      },
      tryLimbo: () => {
        world.trials += 1
        return { refused: null, add: () => true, rows: () => null }
      },
    },
    log: { read: (range, done) => later.read.push(() => done(null, { ...range, records: new Uint8Array(0) })) },
    inTurn: (run) => later.turns.push(() => run(1)),
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
    readyInLimbo: () => {
      world.tried += 1
      return { answered: 0, waiting: 1 }
    },
    failed: () => undefined,
  }
  reads.add(sink, 1000)
  reads.run()
  return { world, reads, later }
}

test('what a leader has answered, and is not applied yet, is asked of the next: it may have been in limbo', () => {
  const { world, reads } = requests()
  reads.ready(1, { index: logIndex(12), limboFrom: null })
  reads.run()
  expect(world.asked).toEqual([1])
  world.office = null
  reads.run()
  // The same node perhaps, but in another term: what its log held is not what it holds.
  world.office = term(2)
  reads.run()
  expect(world.asked).toEqual([1, 2])
  reads.ready(2, { index: logIndex(10), limboFrom: null })
  reads.serve()
  expect(world.served).toBe(1)
})

test('what is applied is not asked for again', () => {
  const { world, reads } = requests()
  reads.ready(1, { index: logIndex(10), limboFrom: null })
  world.office = term(2)
  reads.run()
  expect(world.asked).toEqual([1])
  reads.serve()
  expect(world.served).toBe(1)
})

test('what the entries of one leader write is not held against reads of the next, and each tries a read once', () => {
  const { world, reads, later } = requests()
  const limbo = { index: logIndex(12), limboFrom: logIndex(11) }
  const goOn = (): void => {
    for (let steps = 0; steps < 10; steps += 1) (later.turns.shift() ?? later.read.shift())?.()
  }
  reads.ready(1, limbo)
  reads.serve()
  world.office = term(2)
  reads.run()
  goOn()
  expect(world).toMatchObject({ asked: [1, 2], tried: 0 })
  reads.ready(2, limbo)
  reads.serve()
  goOn()
  reads.serve()
  expect(world).toMatchObject({ tried: 1, served: 0 })
  world.office = term(3)
  reads.run()
  reads.ready(3, limbo)
  reads.serve()
  goOn()
  expect(world).toMatchObject({ asked: [1, 2, 3], trials: 3, tried: 2, served: 0 })
  world.applied = 12
  reads.serve()
  expect(world.served).toBe(1)
})
