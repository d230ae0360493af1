import { describe, expect, test } from 'vitest'
import { logIndex } from '../../../src/base/brand.ts'
import { rowsDigest } from '../../codec/rows/rows-digest.ts'
import { sessionCodec } from '../../../src/codec/session-codec.ts'
import type { Value } from '../../../src/codec/value/value.ts'
import type { StorageFault } from '../../../src/node/ports/storage-fault.ts'
import { BOUNDARIES_PENDING_MAX, SLICE_BYTES, SLICE_ROWS, Snapshotter } from '../../../src/node/apply/snapshotter.ts'
import type { DirtyRow, DirtyRows } from '../../../src/session/dirty-rows.ts'
import { openSession, submit } from '../commands.ts'
import { TurnBudget } from '../../../src/node/apply/turn-budget.ts'
import { boundaryAt, RecordedStore } from '../recorded-store.ts'
import { TestClock } from '../test-clock.ts'
import { TestNode } from '../test-node.ts'

const FAULT: StorageFault = { code: 'IO_ERROR', message: 'the disk is gone' }

function world(durableIndex = 1_000_000) {
  const store = new RecordedStore()
  const clock = new TestClock()
  const written: number[] = []
  const faults: StorageFault[] = []
  const snapshotter = new Snapshotter({
    store,
    codec: sessionCodec,
    clock,
    turn: new TurnBudget(clock),
    durableIndex: logIndex(durableIndex),
    written: ({ index }) => written.push(index),
    fault: (fault) => faults.push(fault),
  })
  return { store, clock, written, faults, snapshotter }
}

const rows = (count: number, value: Value = 1): DirtyRow[] & DirtyRows =>
  dirty(
    Array.from({ length: count }, (_, at) => ({ key: `key-${String((at * 7919) % count).padStart(6, '0')}`, value })),
  )

const dirty = (list: DirtyRow[]): DirtyRow[] & DirtyRows => Object.assign(list, { total: TOTAL })

/** Rows of the whole state at every boundary here. */
const TOTAL = 1234

describe('a boundary', () => {
  test('is written in key order, in slices, one outstanding at a time; then it is switched on', () => {
    const { store, clock, written, snapshotter } = world()
    const given = rows(2 * SLICE_ROWS + 1)
    given.push({ key: 'deleted', value: undefined })
    snapshotter.add(boundaryAt(10), given)
    const slices: string[][] = []
    for (let step = 0; step < 3; step += 1) {
      clock.advance(1)
      expect(store.operations).toHaveLength(1)
      slices.push((store.operations[0]?.rows ?? []).map((row) => row.key))
      expect(store.complete()).toBe('slice 10')
    }
    clock.advance(1)
    expect(written).toEqual([])
    expect(store.complete()).toBe('commit 10')
    expect(written).toEqual([10])
    expect(slices.map((slice) => slice.length)).toEqual([SLICE_ROWS, SLICE_ROWS, 2])
    expect(slices.flat()).toEqual(given.map(({ key }) => key).sort())
    const encoded = [...given]
      .sort((a, b) => (a.key < b.key ? -1 : 1))
      .map(({ key, value }) => ({ key, value: value === undefined ? null : sessionCodec.encodeValue(value) }))
    expect(store.metas[0]).toMatchObject({ lastIncludedIndex: 10, rowCount: given.length, digest: rowsDigest(encoded) })
    expect(store.totals).toEqual([TOTAL])
  })

  test('with large rows has slices of bounded bytes', () => {
    const { store, clock, snapshotter } = world()
    const large = 'x'.repeat(SLICE_BYTES / 2)
    snapshotter.add(boundaryAt(10), rows(6, large))
    const sizes: number[] = []
    for (let step = 0; step < 10; step += 1) {
      clock.advance(1)
      sizes.push(store.operations[0]?.rows.length ?? 0)
      if (store.complete().startsWith('commit')) break
    }
    expect(sizes).toEqual([2, 2, 2, 0])
  })

  test('without dirty rows is switched on all the same', () => {
    const { store, clock, written, snapshotter } = world()
    snapshotter.add(boundaryAt(10), dirty([]))
    clock.advance(1)
    expect(store.complete()).toBe('commit 10')
    expect(written).toEqual([10])
  })
})

describe('a boundary beyond what the own log holds on disk', () => {
  test('is written, but switched on only once the log is there', () => {
    const { store, clock, written, snapshotter } = world(8)
    snapshotter.add(boundaryAt(10), rows(1))
    clock.advance(1)
    expect(store.complete()).toBe('slice 10')
    clock.advance(1)
    expect(store.operations).toEqual([])
    snapshotter.durable(logIndex(9))
    expect(store.operations).toEqual([])
    snapshotter.durable(logIndex(10))
    expect(store.complete()).toBe('commit 10')
    expect(written).toEqual([10])
  })

  test('does not hold up the close, and is not switched on after it', () => {
    const { store, clock, snapshotter } = world(8)
    snapshotter.add(boundaryAt(10), rows(1))
    clock.advance(1)
    store.complete()
    clock.advance(1)
    let closed = 0
    snapshotter.stop(() => {
      closed += 1
    })
    expect(closed).toBe(1)
    snapshotter.durable(logIndex(10))
    clock.advance(1)
    expect(store.operations).toEqual([])
    expect(closed).toBe(1)
  })
})

describe('boundaries', () => {
  test('are written one after the other, and the third that waits makes apply wait', () => {
    const { store, clock, written, snapshotter } = world()
    for (let at = 1; at <= BOUNDARIES_PENDING_MAX; at += 1) {
      expect(snapshotter.full).toBe(false)
      snapshotter.add(boundaryAt(at), rows(1))
    }
    expect(snapshotter.full).toBe(true)
    const done: string[] = []
    while (written.length < BOUNDARIES_PENDING_MAX) {
      clock.advance(1)
      expect(store.operations.length).toBeLessThanOrEqual(1)
      if (store.operations.length > 0) done.push(store.complete())
      if (written.length > 0) expect(snapshotter.full).toBe(false)
    }
    expect(done).toEqual([1, 2, 3].flatMap((at) => [`slice ${at}`, `commit ${at}`]))
  })
})

describe('close', () => {
  test.each([0, 1, 2])('waits for the operation in flight (after %i other steps) and begins no other', (completed) => {
    const { store, clock, written, snapshotter } = world()
    snapshotter.add(boundaryAt(1), rows(1))
    snapshotter.add(boundaryAt(2), rows(1))
    clock.advance(1)
    for (let at = 0; at < completed; at += 1) {
      store.complete()
      clock.advance(1)
    }
    let closed = 0
    snapshotter.stop(() => (closed += 1))
    expect(closed).toBe(0)
    store.complete()
    clock.advance(1)
    expect(closed).toBe(1)
    expect(store.operations).toEqual([])
    expect(written).toEqual(completed === 1 ? [1] : completed === 2 ? [1] : [])
  })

  test('calls back at once when nothing is being written', () => {
    const { snapshotter } = world()
    let closed = false
    snapshotter.stop(() => (closed = true))
    expect(closed).toBe(true)
  })

  test.each(['slice', 'commit'])(
    'calls back after a fault in a %s: before it was asked, and while it waits',
    (which) => {
      for (const askFirst of [true, false]) {
        const { store, clock, faults, written, snapshotter } = world()
        snapshotter.add(boundaryAt(1), rows(1))
        snapshotter.add(boundaryAt(2), rows(1))
        clock.advance(1)
        if (which === 'commit') {
          store.complete()
          clock.advance(1)
        }
        let closed = 0
        if (askFirst) snapshotter.stop(() => (closed += 1))
        store.complete(FAULT)
        clock.advance(1)
        if (!askFirst) snapshotter.stop(() => (closed += 1))
        expect([closed, faults, written, store.operations.length]).toEqual([1, [FAULT], [], 0])
      }
    },
  )
})

describe('a node', () => {
  const options = { limits: { snapshotBytes: 1000 } }
  const filled = (node: TestNode, from: number, to: number): void => {
    for (let id = from; id <= to; id += 1) {
      submit(node, 3, id)
      node.options.clock.settle()
    }
  }

  test('starts from its newest snapshot and replays the rest: state and hash are the same', () => {
    const node = new TestNode({ clock: new TestClock(), ...options }).start()
    openSession(node)
    filled(node, 1, 60)
    node.options.clock.advance(10)
    const { snapshotIndex, appliedIndex } = node.driver.status()
    expect(snapshotIndex).toBeGreaterThan(20)
    const twin = new TestNode({ clock: new TestClock(), ...options }).start()
    openSession(twin)
    filled(twin, 1, 60)
    node.restart()
    expect(node.driver.status().appliedIndex).toBe(appliedIndex + 1)
    const [again, other] = [submit(node, 3, 60), submit(node, 3, 61)]
    node.options.clock.settle()
    expect([again.reply, other.reply]).toMatchObject([
      { replayed: true, outcome: { value: 60 } },
      { outcome: { value: 61 } },
    ])
    node.restart()
    node.restart()
    expect(node.machine.query({ machine: 'test', query: 'x', input: null, session: null }).kind).toBe('reject')
    expect(node.machine.sessionFacts(3)?.highest).toBe(61)
  })

  test('waits with applying at the third boundary that is not written, and goes on afterwards', () => {
    const node = new TestNode({ clock: new TestClock(), limits: { snapshotBytes: 1 } }).start()
    openSession(node)
    node.options.clock.advance(10)
    node.holdSnapshots()
    const before = node.driver.status().appliedIndex
    const sinks = [1, 2, 3, 4, 5, 6].map((id) => submit(node, 3, id))
    node.options.clock.advance(10)
    expect(node.driver.status().appliedIndex).toBe(before + 3)
    expect(sinks.map((sink) => sink.told)).toEqual(['settled', 'settled', 'settled', null, null, null])
    node.releaseSnapshots()
    node.options.clock.advance(10)
    expect(sinks.map((sink) => sink.told)).toEqual(Array(6).fill('settled'))
    expect(node.driver.status().snapshotIndex).toBe(before + 6)
  })

  test('that is alone lets its log go below the snapshot before the newest, and still starts', () => {
    const node = new TestNode({ clock: new TestClock(), ...options, segmentBytes: 8192 }).start()
    openSession(node)
    filled(node, 1, 200)
    node.options.clock.advance(100)
    expect(node.driver.raftState.trail.snapshotIndex).toBeGreaterThan(100)
    const hash = node.machine.stateHash()
    const { appliedIndex } = node.machine
    node.crash()
    node.start()
    expect(node.machine.appliedIndex).toBe(appliedIndex + 1)
    expect(node.machine.sessionFacts(3)?.highest).toBe(200)
    expect(hash).toHaveLength(16)
  })

  test('whose snapshot store fails stops, tells everybody, and closes', () => {
    const node = new TestNode({ clock: new TestClock(), limits: { snapshotBytes: 1 } })
    let failing = false
    node.wrapSnapshots = (store) => ({
      ...store,
      writeSlice: (generation, given, done) =>
        failing ? done(FAULT, null) : store.writeSlice(generation, given, done),
    })
    node.start()
    openSession(node)
    node.options.clock.advance(10)
    failing = true
    const sinks = [1, 2].map((id) => submit(node, 3, id))
    node.options.clock.advance(10)
    expect(node.stopped).toEqual([FAULT])
    expect(sinks.map((sink) => sink.told)).not.toContain(null)
    expect(submit(node, 3, 3).told).toBe('refused SHUTTING_DOWN')
    expect(node.close()).toBe(true)
  })
})
