import { describe, expect, test } from 'vitest'
import { logIndex, nodeId, term, writeNumber } from '../../../src/base/brand.ts'
import type { ReceivedMessage } from '../../../src/node/peers/received-message.ts'
import { type QueuedEvent, TurnLoop } from '../../../src/node/turn/turn-loop.ts'
import { TestClock } from '../test-clock.ts'

const persisted = (write: number): QueuedEvent => ({ kind: 'persisted', write: writeNumber(write) })
const preVote: ReceivedMessage = {
  kind: 'received',
  from: nodeId('n2'),
  message: { kind: 'preVoteRequest', term: term(2), lastLogIndex: logIndex(1), lastLogTerm: term(1) },
  records: new Uint8Array(0),
}

function looped(): { clock: TestClock; loop: TurnLoop; turns: QueuedEvent[][]; asked: number[] } {
  const clock = new TestClock()
  const turns: QueuedEvent[][] = []
  const asked: number[] = []
  const loop = new TurnLoop(clock, () => {
    const seen: QueuedEvent[] = []
    asked.push(loop.askedAt)
    loop.drain((event) => seen.push(event))
    turns.push(seen)
  })
  return { clock, loop, turns, asked }
}

describe('the driver’s loop', () => {
  test('runs one turn for all that was enqueued, in order, pre-vote requests last', () => {
    const { clock, loop, turns } = looped()
    for (const event of [persisted(1), preVote, persisted(2)]) loop.enqueue(event)
    clock.settle()
    expect(turns).toEqual([[persisted(1), persisted(2), preVote]])
    expect(loop.length).toBe(0)
  })

  test('hands over what is enqueued while it drains', () => {
    const { clock, loop, turns } = looped()
    loop.enqueue(persisted(1))
    const seen: QueuedEvent[] = []
    loop.drain((event) => {
      seen.push(event)
      if (seen.length === 1) loop.enqueue(persisted(2))
    })
    expect(seen).toEqual([persisted(1), persisted(2)])
    clock.settle()
    expect(turns).toEqual([[]])
  })

  test('knows when a turn was asked for, however late it runs', () => {
    const { clock, loop, asked } = looped()
    clock.advance(10)
    loop.enqueue(persisted(1))
    clock.stall(500)
    loop.enqueue(persisted(2))
    clock.settle()
    expect(asked).toEqual([10])
  })

  test('runs a turn when it is due, and none once it was stopped', () => {
    const { clock, loop, turns } = looped()
    loop.wakeAt(20)
    clock.advance(19)
    expect(turns).toHaveLength(0)
    clock.advance(1)
    expect(turns).toHaveLength(1)
    loop.wakeAt(50)
    loop.schedule()
    loop.stop()
    loop.enqueue(persisted(1))
    clock.advance(100)
    expect(turns).toHaveLength(1)
  })
})
