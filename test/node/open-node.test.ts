import { describe, expect, test } from 'vitest'
import type { StorageFault } from '../../src/node/ports/storage-fault.ts'
import { Cluster } from './cluster.ts'
import { openSession, submit, resultOf } from './commands.ts'
import { TestClock } from './test-clock.ts'
import { TestNode } from './test-node.ts'

const FAULT: StorageFault = { code: 'DISK_FULL', message: 'no space is left' }

describe('opening a node', () => {
  test('on an empty directory begins a new cluster: Configuration, then Limits', () => {
    const node = new TestNode({ clock: new TestClock(), limits: { windowRequests: 7 } }).start()
    expect(node.driver.status()).toMatchObject({ role: 'leader', appliedIndex: 2, lastIndex: 2, voters: ['n1'] })
    expect(node.driver.incarnation).toBe(1)
    expect(node.machine.limits.windowRequests).toBe(7)
  })

  test('again does not change the cluster: its Limits are the log’s, not this start’s', () => {
    const clock = new TestClock()
    const options = { clock, limits: { windowRequests: 7 } }
    const node = new TestNode(options).start()
    options.limits = { windowRequests: 8 }
    node.restart()
    expect(node.machine.limits.windowRequests).toBe(7)
    expect(node.driver.status()).toMatchObject({ role: 'leader', lastIndex: 3 })
  })

  test('knows the members from the log before anything is applied', () => {
    const cluster = Cluster.started()
    const [follower] = cluster.followers
    if (follower === undefined) throw new Error('no follower')
    for (const node of cluster.nodes) node.crash()
    follower.start()
    expect(follower.driver.incarnation).toBe(1)
    expect(follower.driver.status()).toMatchObject({ role: 'follower', appliedIndex: 0, voters: ['n1', 'n2', 'n3'] })
  })

  test('P-23 from a snapshot and an empty log goes on with its members, clocks and state', () => {
    const node = new TestNode({ clock: new TestClock(), limits: { snapshotBytes: 1 } }).start()
    openSession(node)
    submit(node, 3, 1)
    node.options.clock.advance(10)
    const now = node.driver.logNow()
    node.holdSnapshots()
    node.replaceLog()
    node.start()
    node.releaseSnapshots()
    node.options.clock.advance(10)
    expect(node.driver.leading).toBe(true)
    expect(node.driver.addressOf(node.id)).toBe('n1:1')
    expect(node.driver.logNow()).toBeGreaterThanOrEqual(now)
    const again = submit(node, 3, 1)
    node.options.clock.advance(10)
    expect(resultOf(again)).toBe(1)
  })

  test('a fault that the log reports while the node opens is not lost: it opens no transport and lets the log go', () => {
    const node = new TestNode({ clock: new TestClock() }).start()
    node.crash()
    let closed = false
    node.wrapLog = (log) => {
      const close = log.close.bind(log)
      node.reportFault(FAULT)
      return Object.assign(log, {
        close: (done: () => void) => {
          closed = true
          close(done)
        },
      })
    }
    node.start()
    expect([node.openFault, node.runs, closed]).toEqual([FAULT, false, true])
  })
})
