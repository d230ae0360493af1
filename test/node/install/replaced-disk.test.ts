import { expect, test } from 'vitest'
import { configurationOf, type RaftState } from '../../../src/raft/index.ts'
import { Cluster } from '../cluster.ts'
import { openSession, submit } from '../commands.ts'
import type { TestNode } from '../test-node.ts'

/** Boundaries so far apart that the changes of the members lie between two, and a log that goes behind them at once. */
const SMALL = { limits: { snapshotBytes: 8_000 }, segmentBytes: 4_096 }

test('a new disk that installs a snapshot of when the old one was a voter is none by it', () => {
  const cluster = Cluster.started(SMALL)
  const lost = cluster.followers[0] as TestNode
  const session = openSession(cluster.leader)
  for (let id = 1; id <= 300; id += 1) {
    submit(cluster.leader, session, id)
    cluster.clock.settle()
  }
  lost.replaceDisk()
  cluster.elect()
  // Every set of voters that the new disk has gone by, with the index up to which it came from a snapshot.
  const seen: string[] = []
  lost.stepped = (state: RaftState) => {
    const voters = configurationOf(state)?.voters.join(' ') ?? 'nobody'
    const by = state.trail.snapshotIndex > 0 ? `${voters}, by a snapshot` : voters
    if (seen.at(-1) !== by) seen.push(by)
  }
  lost.start()
  const replaced = (): boolean => {
    cluster.leader.driver.membership.change(
      { kind: 'replace', id: lost.id, learner: false, basedOn: null },
      () => undefined,
    )
    return configurationOf(cluster.leader.driver.raftState)?.voters.includes(lost.id) === false
  }
  cluster.until(replaced, 'it is being replaced')
  cluster.until(() => seen.length > 0 && lost.driver.raftState.trail.snapshotIndex > 0, 'it has a snapshot')
  const first = seen.find((voters) => voters.endsWith('by a snapshot'))
  expect(first?.split(', ')[0]?.split(' ')).toHaveLength(3)
  expect(first?.split(', ')[0]?.split(' ')).not.toContain(lost.id)
})
