import { expect, test } from 'vitest'
import { composeNode, type ComposedNode, type NodeParts } from '../../src/assembly/compose-node.ts'
import { logOpener } from '../../src/assembly/log-opener.ts'
import { groupId, nodeId } from '../../src/base/brand.ts'
import { DEFAULT_LIMITS } from '../../src/codec/entry/default-limits.ts'
import { sessionCodec } from '../../src/codec/session-codec.ts'
import { mount } from '../../src/machine/index.ts'
import { counter } from '../../src/machines/index.ts'
import type { StorageFault } from '../../src/node/ports/storage-fault.ts'
import { whenLeading } from '../../src/node/when-leading.ts'
import { MemoryDisk } from '../../src/storage/disk/memory-disk.ts'
import { MemorySnapshots, memorySnapshotStore } from '../../src/storage/snapshot/memory-snapshot-store.ts'
import { TestClock } from '../node/test-clock.ts'

const FAULT: StorageFault = { code: 'DISK_FULL', message: 'no space is left' }

function partsOf(clock: TestClock): NodeParts {
  const id = nodeId('n1')
  const group = groupId(0)
  return {
    identity: { clusterId: 'c1', group, id, instance: 'i1' },
    initialVoters: [{ id, address: 'n1:1' }],
    machines: mount([counter], sessionCodec),
    limits: { windowRequests: 7 },
    clock,
    codec: sessionCodec,
    snapshots: memorySnapshotStore(new MemorySnapshots(), (run) => clock.defer(run)),
    seed: 1,
    openLog: logOpener({ disk: new MemoryDisk((run) => clock.defer(run)), directory: 'log', group, clock }),
    openTransport: () => ({
      send: () => undefined,
      connected: () => false,
      queuedBytes: () => 0,
      pull: () => undefined,
      hint: () => undefined,
      addPeer: () => undefined,
      removePeer: () => undefined,
      close: (done) => done(),
    }),
  }
}

test('parts become a node that waits for its start, with defaults where nothing else is said', () => {
  const clock = new TestClock()
  const opened: ComposedNode[] = []
  const machine = composeNode(partsOf(clock), (fault, composed) => {
    expect(fault).toBeNull()
    if (composed !== null) opened.push(composed)
  })
  clock.settle()
  const [composed] = opened
  if (composed === undefined) throw new Error('no node')
  const { driver, gateway } = composed
  let ready = 0
  whenLeading(driver, () => {
    ready += 1
  })
  expect([driver.machine, driver.role, machine.appliedIndex]).toEqual([machine, 'follower', 0])
  driver.start()
  clock.advance(1000)
  expect([driver.leading, machine.appliedIndex, ready]).toEqual([true, 3, 1])
  expect(machine.limits).toEqual({ ...DEFAULT_LIMITS, windowRequests: 7 })
  expect(gateway.greeting()).toMatchObject({ clusterId: 'c1', leader: 'n1', leaderAddress: 'n1:1' })
  whenLeading(driver, () => {
    ready += 1
  })
  expect(ready).toBe(2)
})

test('a fault that opening meets is told once, and there is no node', () => {
  const clock = new TestClock()
  const told: unknown[] = []
  const openLog: NodeParts['openLog'] = (_snapshot, _listener, done) => done(FAULT, null)
  composeNode({ ...partsOf(clock), openLog }, (fault, composed) => told.push([fault, composed]))
  clock.advance(1000)
  expect(told).toEqual([[FAULT, null]])
})
