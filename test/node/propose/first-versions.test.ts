import { expect, test } from 'vitest'
import type { BuildMachine } from '../../../src/session/user-machine.ts'
import { bareMachine, counterHandlers } from '../../session/bare-machine.ts'
import { Cluster } from '../cluster.ts'

const MACHINES: readonly BuildMachine[] = [
  { name: 'counter', versions: [{ version: 1, schema: 'a'.repeat(64), code: '' }] },
]

test('a log that an earlier build began gets no AdvanceVersion entry while a voter has not said what it is built of', () => {
  let machines: readonly BuildMachine[] | undefined
  const user = () => bareMachine(counterHandlers, machines === undefined ? {} : { machines })
  const cluster = new Cluster({ user })
  // The earlier build names no machines, and says nothing of itself.
  for (const node of cluster.nodes) cluster.network.silent.add(node.id)
  for (const node of cluster.nodes) node.start()
  cluster.elect()
  machines = MACHINES
  const activated = () => cluster.nodes.map((node) => node.machine.activated)
  for (const id of ['n1', 'n2']) {
    cluster.network.silent.delete(cluster.node(id).id)
    cluster.node(id).restart()
    cluster.elect()
    cluster.clock.advance(2000)
    expect(activated()).toEqual([false, false, false])
  }
  cluster.network.silent.delete(cluster.node('n3').id)
  cluster.node('n3').restart()
  cluster.until(() => activated().every(Boolean), 'the log names its machines')
  expect(cluster.leader.machine.machines()).toMatchObject([{ name: 'counter', active: 1, schema: 'a'.repeat(64) }])
})

test('the versions of all machines are one entry, of which no part can be lost', () => {
  const machines = ['bell', 'counter'].map((name) => ({
    name,
    versions: [{ version: 1, schema: 'a'.repeat(64), code: '' }],
  }))
  const cluster = new Cluster({ user: () => bareMachine(counterHandlers, { machines }) })
  for (const node of cluster.nodes) node.start()
  cluster.elect()
  const kinds = cluster.leader.applied.map(({ reply }) => reply.kind)
  expect([cluster.leader.driver.raftState.lastIndex, kinds.length]).toEqual([3, 3])
  expect(cluster.leader.machine.machines().map(({ name, active }) => [name, active])).toEqual([
    ['bell', 1],
    ['counter', 1],
  ])
})

test('a new cluster names no versions while a voter says nothing of its build, which may not know the entry', () => {
  const cluster = new Cluster({ user: () => bareMachine(counterHandlers, { machines: MACHINES }) })
  cluster.network.silent.add(cluster.node('n3').id)
  for (const node of cluster.nodes) node.start()
  cluster.elect()
  cluster.clock.advance(2000)
  expect(cluster.nodes.map((node) => node.machine.activated)).toEqual([false, false, false])
})

test.each([1, 2, 3])(
  'a new cluster begins at the versions that all voters have, whichever is behind: n%i',
  (behind) => {
    const versions = [1, 2].map((version) => ({ version, schema: 'a'.repeat(64), code: '' }))
    // They are made as they start.
    let made = 0
    const user = () => {
      made += 1
      return bareMachine(counterHandlers, {
        machines: [{ name: 'counter', versions: made === behind ? versions.slice(0, 1) : versions }],
      })
    }
    const cluster = new Cluster({ user })
    for (const node of cluster.nodes) node.start()
    cluster.elect()
    cluster.clock.advance(2000)
    expect(cluster.nodes.map((node) => node.driver.status().halted)).toEqual([null, null, null])
    expect(cluster.nodes.map((node) => node.machine.activeVersion('counter'))).toEqual([1, 1, 1])
  },
)
