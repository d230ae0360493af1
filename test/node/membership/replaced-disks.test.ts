import { expect, test } from 'vitest'
import type { ChangeOutcome } from '../../../src/node/membership/membership.ts'
import { Cluster } from '../cluster.ts'
import { openSession, submit } from '../commands.ts'
import type { TestNode } from '../test-node.ts'

/** More entries than a probe carries, so that a new disk has the first configuration before it has the newest. */
const MANY = 150

function write(cluster: Cluster, session: number, from: number): void {
  const { leader } = cluster
  for (let id = from; id < from + MANY; id += 1) submit(leader, session, id)
  cluster.clock.settle()
}

/** The node loses its disk, and the leader replaces it by the empty one. */
function replace(cluster: Cluster, node: TestNode): void {
  node.replaceDisk()
  cluster.elect()
  node.start()
  let outcome: ChangeOutcome | null = null
  const ask = (): void =>
    cluster.leader.driver.membership.change(
      { kind: 'replace', id: node.id, learner: false, basedOn: null },
      (told) => void (outcome = told),
    )
  cluster.until(() => {
    if (outcome?.kind === 'changed') return true
    ask()
    return false
  }, `${node.id} is being replaced`)
  expect(outcome).toMatchObject({ kind: 'changed' })
  const voter = (): boolean => {
    const { members, joint, committed } = cluster.leader.driver.membership.list()
    return !joint && committed && members.some((line) => line.id === node.id && line.role === 'voter')
  }
  cluster.until(voter, `${node.id} is a voter again`)
}

test('every disk of three is replaced in turn, each new leader’s too, behind more entries than a probe carries', () => {
  const cluster = Cluster.started()
  const session = openSession(cluster.leader)
  write(cluster, session, 1)
  // The first that is replaced leads as the next one is: of its disk the others know by the newest configuration alone.
  const first = cluster.followers[0] as TestNode
  replace(cluster, first)
  const others = cluster.nodes.filter((node) => node !== first)
  cluster.leader.driver.transferLeadership(first.id, () => undefined)
  cluster.until(() => first.driver.leading, 'the replaced one leads')
  for (const node of others) replace(cluster, node)
  write(cluster, session, MANY + 1)
  const hash = cluster.leader.machine.stateHash()
  cluster.until(() => cluster.nodes.every((node) => node.machine.stateHash() === hash), 'all replicas are equal')
  expect(cluster.nodes.map((node) => node.machine.sessionFacts(session)?.highest)).toEqual([300, 300, 300])
})
