import { describe, expect, test } from 'vitest'
import { bareMachine, counterHandlers } from '../session/bare-machine.ts'
import { Cluster } from './cluster.ts'
import { openSession, submit } from './commands.ts'
import { TestClock } from './test-clock.ts'
import { TestNode } from './test-node.ts'

const user = () =>
  bareMachine({
    ...counterHandlers,
    say: (context, input) => {
      context.log('said', { input })
      return null
    },
  })

const lines = (node: TestNode) => node.reports.flatMap((told) => (told.kind === 'line' ? [told.fields['input']] : []))
const failures = (node: TestNode) => node.reports.flatMap((told) => (told.kind === 'failure' ? [told] : []))

/** Runs commands one after the other, until every running node has applied them. */
function run(cluster: Cluster, session: number, commands: readonly [id: number, name: string, input?: string][]): void {
  for (const [id, name, input = null] of commands) submit(cluster.leader, session, id, name, input)
  cluster.clock.settle()
  const { lastIndex } = cluster.leader.driver.status()
  const applied = () => cluster.running.every((node) => node.driver.status().appliedIndex >= lastIndex)
  cluster.until(applied, 'all have applied the commands')
}

describe('what machines tell', () => {
  test('every node that applies a throwing command tells it, with what was thrown; its status counts it', () => {
    const cluster = Cluster.started({ user })
    const session = openSession(cluster.leader)
    run(cluster, session, [
      [1, 'explode'],
      [2, 'explode'],
    ])
    for (const node of cluster.nodes) {
      const [first, second] = failures(node)
      expect(first).toMatchObject({ part: { machine: 'test', kind: 'command', name: 'explode' }, replayed: false })
      expect(first).toMatchObject({ reason: 'EXCEPTION', error: { message: 'a bug' } })
      expect(node.driver.status().failures).toEqual({
        total: 2,
        last: { machine: 'test', kind: 'command', name: 'explode', index: second?.index, reason: 'EXCEPTION' },
      })
    }
  })

  test('a line is told once in the cluster, by the leader that proposed its entry', () => {
    const cluster = Cluster.started({ user })
    const first = cluster.leader
    const session = openSession(first)
    run(cluster, session, [[1, 'say', 'first']])
    expect(cluster.nodes.flatMap(lines)).toEqual(['first'])
    expect(lines(first)).toEqual(['first'])
    // The next leader applies an entry that it did not propose: it cannot know whether the old one told it.
    for (const follower of cluster.followers) follower.holdDisk()
    submit(first, session, 2, 'say', 'between')
    cluster.clock.advance(20)
    first.crash()
    for (const node of cluster.running) node.releaseDisk()
    cluster.elect()
    run(cluster, session, [[3, 'say', 'second']])
    expect(cluster.nodes.flatMap(lines).toSorted()).toEqual(['first', 'second'])
    expect(lines(cluster.leader)).toEqual(['second'])
  })

  test('a replay tells no line again, and every failure as one that is replayed', () => {
    const node = new TestNode({ clock: new TestClock(), user }).start()
    const session = openSession(node)
    for (const [at, name] of ['say', 'explode', 'say'].entries()) submit(node, session, at + 1, name, 'before')
    node.options.clock.advance(20)
    expect([lines(node), failures(node).length]).toEqual([['before', 'before'], 1])
    node.reports = []
    node.restart(false)
    node.options.clock.advance(2000)
    expect(node.driver.leading).toBe(true)
    expect(lines(node)).toEqual([])
    expect(failures(node)).toMatchObject([{ replayed: true, part: { name: 'explode' } }])
    submit(node, session, 4, 'say', 'after')
    submit(node, session, 5, 'explode')
    node.options.clock.advance(20)
    expect(lines(node)).toEqual(['after'])
    expect(failures(node).map(({ replayed }) => replayed)).toEqual([true, false])
    expect(node.driver.status().failures.total).toBe(2)
  })
})
