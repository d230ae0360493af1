import { describe, expect, test } from 'vitest'
import { FailingDisk } from '../../storage/disk/failing-disk.ts'
import { Cluster } from '../cluster.ts'
import { openSession, resultOf, submit } from '../commands.ts'
import type { TestNode } from '../test-node.ts'

/**
 * Every call that a whole node makes of its disk fails once (faults.md §6): as it opens, appends, makes segments, takes
 * snapshots, cuts the log, notes what it applied, and opens again. It stops with a fault or goes on; what it had acknowledged
 * is there.
 */
const SMALL = { segmentBytes: 8192, firstSegmentBytes: 4096, limits: { snapshotBytes: 6000 } }
const COMMANDS = 40

/** Has a leader execute commands one after the other, up to a number; that of the last one that was answered, by counting. */
function counted(leader: () => TestNode | null, from: number, session: number, to = COMMANDS): number {
  for (let request = from + 1; request <= to; request += 1) {
    const node = leader()
    if (node === null) return request - 1
    const told = submit(node, session, request)
    node.options.clock.advance(20)
    if (told.told !== 'settled') return request - 1
    expect(resultOf(told)).toBe(request)
  }
  return to
}

describe.each([
  ['EIO', 'IO_ERROR'],
  ['ENOSPC', 'DISK_FULL'],
])('%s', (code, fault) => {
  test.each([false, true])(
    'at any call of a single node stops it, or is survived, and nothing is lost (effect: %s)',
    (effect) => {
      let stops = 0
      let call = 1
      for (; ; call += 1) {
        const cluster = Cluster.started(SMALL, ['n1'])
        const { leader: node } = cluster
        const session = openSession(node)
        const before = counted(() => node, 0, session, 20)
        const disk = fails(node, { call, code, effect })
        node.restart()
        cluster.clock.advance(2000)
        const runs = (): TestNode | null => (node.openFault === null && node.stopped.length === 0 ? node : null)
        const answered = counted(runs, before, session)
        cluster.clock.advance(200)
        const failed = `call ${call}: ${disk().failed}, effect ${effect}`
        const seen = node.openFault ?? node.stopped[0] ?? null
        if (seen === null) expect(answered, failed).toBe(COMMANDS)
        else {
          stops += 1
          expect(seen.code, failed).toBe(fault)
          expect(node.stopped.length, failed).toBeLessThanOrEqual(1)
        }
        if (disk().failed === null) break
        node.wrapDisk = (under) => under
        node.stopped = []
        node.restart()
        cluster.elect()
        expect(
          counted(() => node, answered, session),
          failed,
        ).toBe(COMMANDS)
      }
      expect(call).toBeGreaterThan(60)
      expect(stops).toBeGreaterThan(50)
    },
  )
})

test('at any call of one of three, the others go on with all that was acknowledged, and it comes back', () => {
  let stops = 0
  // Every fifth, with its effect and without in turn: clusters take their time.
  for (let call = 1; ; call += 5) {
    const cluster = Cluster.started(SMALL)
    const { leader: node } = cluster
    const session = openSession(node)
    const disk = fails(node, { call, code: 'EIO', effect: call % 2 === 0 })
    node.restart()
    cluster.clock.advance(1500)
    const leads = (): TestNode => {
      if (node.stopped.length > 0 && node.runs) node.crash()
      return cluster.elect()
    }
    let answered = 0
    for (let tries = 0; tries < 5 && answered < COMMANDS; tries += 1) answered = counted(leads, answered, session)
    expect(answered, `call ${call}: ${disk().failed}`).toBe(COMMANDS)
    if (node.openFault !== null || node.stopped.length > 0) stops += 1
    if (disk().failed === null) break
    node.wrapDisk = (under) => under
    node.stopped = []
    node.restart()
    cluster.elect()
    cluster.clock.advance(1000)
    const states = cluster.nodes.map(({ machine }) => `${machine.appliedIndex} ${machine.stateHash()}`)
    expect(new Set(states).size, `call ${call}: ${disk().failed}`).toBe(1)
  }
  expect(stops).toBeGreaterThan(5)
})

/** From its next start on that call of its disk fails; gives the disk of then. */
function fails(node: TestNode, plan: ConstructorParameters<typeof FailingDisk>[1]): () => FailingDisk {
  let disk: FailingDisk | null = null
  node.wrapDisk = (under) => {
    disk = new FailingDisk(under, plan)
    return disk
  }
  return () => {
    if (disk === null) throw new Error('it was not started')
    return disk
  }
}
