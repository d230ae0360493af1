import { expect, test } from 'vitest'
import type { NodeEvent } from '../../../src/node/api.ts'
import { bareMachine, counterHandlers } from '../../session/bare-machine.ts'
import { Cluster } from '../cluster.ts'
import type { TestNode } from '../test-node.ts'

/** A cluster whose nodes have versions 1 to `has` of the machine `counter`, as each is started. */
class Upgrade {
  readonly has = new Map<string, number>()
  readonly cluster: Cluster

  constructor() {
    this.cluster = new Cluster({}, ['n1', 'n2', 'n3'], (id) => ({ user: () => this.build(id) }))
    for (const node of this.cluster.nodes) node.start()
    this.cluster.elect()
    expect(this.active()).toEqual([1, 1, 1])
  }

  /** The node's process ends, and another one begins that has these versions. */
  upgrade(node: TestNode, has: number): void {
    this.has.set(node.id, has)
    node.restart()
    this.cluster.elect()
  }

  /** The version that runs on each node that does. */
  active(): number[] {
    return this.cluster.running.map((node) => node.machine.activeVersion('counter'))
  }

  /** Makes that node the leader. */
  lead(node: TestNode): void {
    const { cluster } = this
    for (let tries = 0; cluster.leader !== node; tries += 1) {
      expect(tries).toBeLessThan(20)
      const { leader } = cluster
      cluster.network.isolate(leader.id)
      cluster.elect([leader])
      cluster.network.heal()
      cluster.elect()
    }
  }

  private build(id: string) {
    const versions = [1, 2].slice(0, this.has.get(id) ?? 1)
    const schema = 'a'.repeat(64)
    return bareMachine(counterHandlers, {
      machines: [{ name: 'counter', versions: versions.map((version) => ({ version, schema, code: '' })) }],
    })
  }
}

/** What that node says from now on that it waits for. */
function awaitedBy(node: TestNode): NodeEvent[] {
  const events: NodeEvent[] = []
  node.driver.listen({
    applied: () => undefined,
    batchApplied: () => undefined,
    roleChanged: () => undefined,
    stopped: () => undefined,
    noted: (event) => void (event.kind === 'versionAwaited' && events.push(event)),
  })
  return events
}

test('a version that a voter had before it went down is not switched on, for it may come back without it', () => {
  const upgrade = new Upgrade()
  const { cluster } = upgrade
  const [first, last, down] = ['n1', 'n2', 'n3'].map((id) => cluster.node(id)) as [TestNode, TestNode, TestNode]
  upgrade.upgrade(first, 2)
  upgrade.upgrade(down, 2)
  upgrade.lead(first)
  // What a new leader awaits it says once.
  cluster.clock.advance(1000)
  const awaited = awaitedBy(first)
  cluster.clock.advance(1000)
  expect(awaited).toEqual([])
  down.crash()
  upgrade.has.set(last.id, 2)
  last.restart()
  cluster.elect()
  upgrade.lead(first)
  cluster.clock.advance(5000)
  expect(upgrade.active()).toEqual([1, 1])
  expect(awaited.at(-1)).toMatchObject({ machine: 'counter', version: 2, nodes: [down.id], silent: [down.id] })
  // It comes back on the build before.
  upgrade.upgrade(down, 1)
  cluster.clock.advance(5000)
  expect(cluster.nodes.map((node) => node.driver.status().halted)).toEqual([null, null, null])
  expect(upgrade.active()).toEqual([1, 1, 1])
  upgrade.upgrade(down, 2)
  cluster.until(() => upgrade.active().every((version) => version === 2), 'version 2 runs everywhere')
})
