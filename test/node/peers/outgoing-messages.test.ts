import { describe, expect, test } from 'vitest'
import { logIndex, nodeId, term, writeNumber } from '../../../src/base/brand.ts'
import { OutgoingMessages } from '../../../src/node/peers/outgoing-messages.ts'
import type { LogStore, ReadRecords } from '../../../src/node/ports/log-store.ts'
import type { StorageDone, StorageFault } from '../../../src/node/ports/storage-fault.ts'
import type { TermRun } from '../../../src/base/term-run.ts'
import type { Message } from '../../../src/raft/types.ts'

const [n2, n3] = [nodeId('n2'), nodeId('n3')]
const FAULT: StorageFault = { code: 'IO_ERROR', message: 'the disk is gone' }

type AppendEntries = Extract<Message, { kind: 'appendEntries' }>

const run = (first: number, last: number, of: number): TermRun => ({
  first: logIndex(first),
  last: logIndex(last),
  term: term(of),
})

function appendEntries(prev: readonly [number, number], runs: readonly TermRun[], of = 3): AppendEntries {
  const [prevLogIndex, prevLogTerm] = [logIndex(prev[0]), term(prev[1])]
  return {
    kind: 'appendEntries',
    term: term(of),
    prevLogIndex,
    prevLogTerm,
    runs,
    leaderCommit: logIndex(0),
    configurations: [],
    sequence: 1,
  }
}

const vote: Message = { kind: 'requestVoteResponse', term: term(3), verdict: { granted: true } }

/** A log whose entry i has one byte, i; `entriesMax` at a time; reads complete at once or when told. */
function world(options: { later?: boolean } = {}) {
  const sent: { to: string; message: Message; bytes: number[] }[] = []
  const reads: (() => void)[] = []
  const faults: StorageFault[] = []
  const state = {
    currentTerm: 3,
    fault: null as StorageFault | null,
    empty: false,
    room: Number.POSITIVE_INFINITY,
    readings: 0,
    lastIndex: 10,
    now: 0,
  }
  const read = (range: { first: number; last: number; maxBytes: number }, done: StorageDone<ReadRecords>): void => {
    state.readings += 1
    const complete = (): void => {
      const last = Math.min(range.last, range.first + Math.max(1, range.maxBytes) - 1)
      const length = state.empty || state.fault !== null ? 0 : last - range.first + 1
      const records = Uint8Array.from({ length }, (_, at) => range.first + at)
      done(state.fault, { records, first: logIndex(range.first), last: logIndex(range.first + length - 1) })
    }
    if (options.later === true) reads.push(complete)
    else complete()
  }
  const stats = { bytes: 0 }
  const timers: { atMs: number; run: () => void }[] = []
  const setTimer = (delayMs: number, run: () => void) => {
    timers.push({ atMs: state.now + delayMs, run })
    return { cancel: () => undefined }
  }
  const outgoing = new OutgoingMessages({
    log: { read, stats } as unknown as LogStore,
    lastIndex: () => logIndex(state.lastIndex),
    clock: { monotonicMs: () => state.now, setTimer },
    transmit: (to, message, records) => {
      if (sent.length >= state.room) return false
      sent.push({ to, message, bytes: [...records] })
      return true
    },
    currentTerm: () => term(state.currentTerm),
    fault: (fault) => faults.push(fault),
    messageBytesMax: 4,
  })
  return { outgoing, sent, reads, faults, state, stats, timers }
}

describe('a message', () => {
  test('leaves once the write that it names has completed, and not before; others do not wait for it', () => {
    const { outgoing, sent } = world()
    outgoing.dispatch(n2, vote, writeNumber(5))
    outgoing.dispatch(n3, vote, writeNumber(4))
    outgoing.dispatch(n3, { ...vote, term: term(9) }, null)
    expect(sent.map(({ message }) => message.term)).toEqual([9])
    outgoing.writeCompleted(writeNumber(4))
    expect(sent.map(({ to }) => to)).toEqual([n3, n3])
    outgoing.writeCompleted(writeNumber(7))
    expect(sent.map(({ to }) => to)).toEqual([n3, n3, n2])
    outgoing.dispatch(n2, vote, writeNumber(6))
    expect(sent).toHaveLength(4)
  })

  test('whose writes complete together leaves in the order in which it was sent', () => {
    const { outgoing, sent } = world()
    for (const write of [3, 1, 2]) outgoing.dispatch(n2, { ...vote, term: term(write) }, writeNumber(write))
    outgoing.writeCompleted(writeNumber(3))
    expect(sent.map(({ message }) => message.term)).toEqual([3, 1, 2])
  })
})

describe('an AppendEntries', () => {
  test('is split by bytes into messages that each stand alone: previous entry, runs and records fit', () => {
    const { outgoing, sent } = world()
    outgoing.dispatch(n2, appendEntries([10, 1], [run(11, 13, 1), run(14, 19, 2), run(20, 20, 3)]), null)
    const parts = sent.map(({ message, bytes }) => {
      const { prevLogIndex, prevLogTerm, runs } = message as AppendEntries
      return [prevLogIndex, prevLogTerm, runs.map(({ first, last, term: of }) => [first, last, of]), bytes]
    })
    expect(parts).toEqual([
      [
        10,
        1,
        [
          [11, 13, 1],
          [14, 14, 2],
        ],
        [11, 12, 13, 14],
      ],
      [14, 2, [[15, 18, 2]], [15, 16, 17, 18]],
      [
        18,
        2,
        [
          [19, 19, 2],
          [20, 20, 3],
        ],
        [19, 20],
      ],
    ])
  })

  test('waits behind the ones before it to the same peer; a heartbeat and other peers do not', () => {
    const { outgoing, sent, reads } = world({ later: true })
    outgoing.dispatch(n2, appendEntries([0, 0], [run(1, 6, 1)]), null)
    outgoing.dispatch(n2, appendEntries([6, 1], [run(7, 7, 1)]), null)
    outgoing.dispatch(n2, appendEntries([0, 0], []), null)
    outgoing.dispatch(n3, appendEntries([0, 0], [run(1, 2, 1)]), null)
    expect(sent.map(({ to, bytes }) => [to, bytes])).toEqual([[n2, []]])
    while (reads.length > 0) reads.pop()?.()
    expect(sent.slice(1).map(({ to, bytes }) => [to, bytes])).toEqual([
      [n3, [1, 2]],
      [n2, [1, 2, 3, 4]],
      [n2, [5, 6]],
      [n2, [7]],
    ])
  })

  test('of a term that is over is void, also while its records are being read', () => {
    const { outgoing, sent, reads, state } = world({ later: true })
    outgoing.dispatch(n2, appendEntries([0, 0], [run(1, 8, 1)]), null)
    reads.shift()?.()
    expect(sent).toHaveLength(1)
    state.currentTerm = 4
    reads.shift()?.()
    expect([sent.length, reads.length]).toEqual([1, 0])
    outgoing.dispatch(n2, appendEntries([0, 0], [run(1, 1, 4)], 4), null)
    reads.shift()?.()
    expect(sent).toHaveLength(2)
  })

  test('whose entries are gone is void', () => {
    const { outgoing, sent, state } = world()
    state.empty = true
    outgoing.dispatch(n2, appendEntries([0, 0], [run(1, 1, 1)]), null)
    expect(sent).toEqual([])
  })

  test('whose records cannot be read is a fault', () => {
    const { outgoing, sent, faults, state } = world()
    state.fault = FAULT
    outgoing.dispatch(n2, appendEntries([0, 0], [run(1, 1, 1)]), null)
    expect([sent, faults]).toEqual([[], [FAULT]])
  })

  test('nothing leaves and nothing is read after close', () => {
    const { outgoing, sent, reads } = world({ later: true })
    outgoing.dispatch(n2, appendEntries([0, 0], [run(1, 8, 1)]), null)
    outgoing.dispatch(n3, vote, writeNumber(1))
    outgoing.stop()
    outgoing.writeCompleted(writeNumber(1))
    reads.shift()?.()
    outgoing.dispatch(n2, vote, null)
    expect([sent, reads]).toEqual([[], []])
  })
})

describe('a way that is full', () => {
  test('ends the message and those behind it without reading their entries; later ones go again', () => {
    const { outgoing, sent, reads, state } = world({ later: true })
    state.room = 2
    outgoing.dispatch(n2, appendEntries([0, 0], [run(1, 40, 3)]), null)
    outgoing.dispatch(n2, appendEntries([40, 3], [run(41, 80, 3)]), null)
    outgoing.dispatch(n3, appendEntries([0, 0], [run(1, 4, 3)]), null)
    while (reads.length > 0) reads.shift()?.()
    expect(sent.map(({ to, bytes }) => [to, bytes[0]])).toEqual([
      ['n2', 1],
      ['n3', 1],
    ])
    expect(state.readings).toBe(3)
    state.room = 3
    outgoing.dispatch(n2, appendEntries([4, 3], [run(5, 8, 3)]), null)
    while (reads.length > 0) reads.shift()?.()
    expect(sent.at(-1)).toMatchObject({ to: 'n2', bytes: [5, 6, 7, 8] })
  })
})

describe('records for a follower that is far behind', () => {
  test('leave one after the other in their time while others write; those for the rest, and votes, at once', () => {
    const { outgoing, sent, state, stats, timers } = world()
    state.lastIndex = 10_000
    // The first look tells nothing, the second that a lot is written.
    outgoing.dispatch(n2, appendEntries([10, 3], [run(11, 14, 3)]), null)
    state.now = 300
    stats.bytes = 100 * 1024 * 1024
    outgoing.dispatch(n2, appendEntries([14, 3], [run(15, 18, 3)]), null)
    expect(sent).toHaveLength(2)
    outgoing.dispatch(n2, appendEntries([18, 3], [run(19, 22, 3)]), null)
    outgoing.dispatch(n2, vote, null)
    outgoing.dispatch(n3, appendEntries([9990, 3], [run(9991, 9992, 3)]), null)
    expect(sent.slice(2).map(({ to, message }) => [to, message.kind])).toEqual([
      [n2, 'requestVoteResponse'],
      [n3, 'appendEntries'],
    ])
    expect(timers).toHaveLength(1)
    expect(timers[0]?.atMs).toBeGreaterThan(state.now)
    timers[0]?.run()
    expect(sent.at(-1)).toMatchObject({ to: n2, bytes: [19, 20, 21, 22] })
  })

  test('do not leave any more once the node has stopped', () => {
    const { outgoing, sent, state, stats, timers } = world()
    state.lastIndex = 10_000
    for (const first of [11, 15, 19]) {
      outgoing.dispatch(n2, appendEntries([first - 1, 3], [run(first, first + 3, 3)]), null)
      state.now = 300
      stats.bytes = 100 * 1024 * 1024
    }
    outgoing.stop()
    timers[0]?.run()
    expect(sent).toHaveLength(2)
  })
})
