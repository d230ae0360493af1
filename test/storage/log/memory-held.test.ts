import { setTimeout as later } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { logIndex, term, writeNumber } from '../../../src/base/brand.ts'
import { TailCache } from '../../../src/storage/log/tail-cache.ts'
import { WriteQueue } from '../../../src/storage/log/write-queue.ts'
import type { QueuedWrite } from '../../../src/storage/log/write-queue.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** How many of the objects are still held after a collection of garbage. */
async function held(references: readonly WeakRef<object>[]): Promise<number> {
  for (let round = 0; round < 3; round += 1) {
    await later(0) // a WeakRef holds its target until the turn ends
    collect()
  }
  return references.filter((reference) => reference.deref() !== undefined).length
}

const BLOCKS = 40
const BYTES = 1000

describe('memory is given back', () => {
  test('by the tail cache, for every block that it evicted', async () => {
    const cache = new TailCache(5 * BYTES)
    const references = Array.from({ length: BLOCKS }, (_, at) => {
      const records = new Uint8Array(BYTES)
      const index = logIndex(at + 1)
      cache.push({ first: index, last: index, records, write: writeNumber(at + 1) })
      return new WeakRef(records)
    })
    cache.evict(writeNumber(BLOCKS))
    expect(cache.first).toBe(BLOCKS - 3)
    expect(await held(references)).toBe(4)
    const last = logIndex(BLOCKS)
    expect(cache.read({ first: last, last, maxBytes: BYTES }).records).toHaveLength(BYTES)
  })

  test('by the queue of writes, for every write that was taken', async () => {
    const queue = new WriteQueue(BYTES)
    const references = Array.from({ length: BLOCKS }, (_, at) => {
      const write = queued(at + 1)
      queue.push(write)
      return new WeakRef(write.records)
    })
    for (let taken = 1; taken < BLOCKS; taken += 1) queue.take()
    expect(queue.length).toBe(1)
    expect(await held(references)).toBe(1)
    expect(queue.oldest?.write).toBe(BLOCKS)
  })
})

function queued(number: number): QueuedWrite {
  return {
    write: writeNumber(number),
    hardState: { currentTerm: term(1), votedFor: null },
    truncateFrom: logIndex(0),
    records: new Uint8Array(BYTES),
    firstIndex: logIndex(number),
    count: 1,
    previous: { term: term(1), chain: 0 },
    last: { index: logIndex(number), term: term(1), chain: 0 },
    restart: null,
    completes: true,
    since: 0,
  }
}
