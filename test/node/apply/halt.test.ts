import { describe, expect, test } from 'vitest'
import { Cluster } from '../cluster.ts'
import { openSession, submit } from '../commands.ts'
import { TestClock } from '../test-clock.ts'
import { TestNode } from '../test-node.ts'
import { Told } from '../told.ts'
import { heard } from '../heard.ts'

describe('a node whose machine must not apply an entry', () => {
  test('settles what is before it, answers nothing from then on, and says why once', () => {
    const node = new TestNode({ clock: new TestClock() }).start()
    const session = openSession(node)
    const events = heard(node)
    node.haltsAt = session + 2
    const sinks = [submit(node, session, 1), submit(node, session, 2), submit(node, session, 3)]
    const reached: boolean[] = []
    node.driver.waitApplied(session + 1, (result) => reached.push(result))
    node.driver.waitApplied(session + 2, (result) => reached.push(result))
    node.options.clock.settle()
    expect(sinks.map((sink) => sink.told)).toEqual(['settled', 'lost', 'lost'])
    expect(reached).toEqual([true, false])
    const halted = { code: 'MACHINE_MISSING', index: session + 2, message: 'this build has no machine stock' }
    expect(node.driver.status()).toMatchObject({ appliedIndex: session + 1, halted, leader: null })
    expect(node.driver.leading).toBe(false)
    const ping = new Told()
    node.driver.keepAlive({ group: 0, incarnation: 1, index: session }, ping)
    expect([submit(node, session, 4).told, ping.told]).toEqual(['refused HALTED', 'refused HALTED'])
    node.options.clock.advance(5000)
    expect(events.filter((event) => event.kind === 'halted')).toEqual([{ kind: 'halted', ...halted }])
    expect(node.stopped).toEqual([])
    expect(node.close()).toBe(true)
  })

  test('does so again after a restart, and applies the rest when its build is the right one', () => {
    const node = new TestNode({ clock: new TestClock() }).start()
    const session = openSession(node)
    node.haltsAt = session + 1
    submit(node, session, 1)
    node.options.clock.settle()
    node.restart()
    expect(node.driver.status()).toMatchObject({ appliedIndex: session, halted: { index: session + 1 } })
    node.haltsAt = null
    node.restart()
    node.options.clock.advance(10)
    expect(node.driver.leading).toBe(true)
    expect(node.driver.status().halted).toBeNull()
    expect(submit(node, session, 2).told).toBeNull()
  })

  test('writes no snapshot beyond it, and closes while one was being written', () => {
    const node = new TestNode({ clock: new TestClock(), limits: { snapshotBytes: 1 } }).start()
    const session = openSession(node)
    node.options.clock.advance(100)
    const before = node.driver.status().snapshotIndex
    node.holdSnapshots()
    node.haltsAt = session + 3
    submit(node, session, 1)
    submit(node, session, 2)
    submit(node, session, 3)
    node.options.clock.settle()
    expect(node.driver.status().halted).not.toBeNull()
    node.releaseSnapshots()
    node.options.clock.advance(100)
    expect(node.driver.status().snapshotIndex).toBe(before)
    expect(node.close()).toBe(true)
  })

  test('goes on to replicate: the others commit with its disk, and it commits what they do', () => {
    const cluster = Cluster.started()
    const { leader } = cluster
    const session = openSession(leader)
    const [halting, other] = cluster.followers
    if (halting === undefined || other === undefined) throw new Error('three nodes')
    halting.haltsAt = session + 1
    cluster.network.isolate(other.id)
    const sink = submit(leader, session, 1)
    cluster.clock.advance(200)
    expect(sink.told).toBe('settled')
    expect(halting.driver.status()).toMatchObject({
      commitIndex: session + 1,
      appliedIndex: session,
      halted: { index: session + 1 },
      leader: leader.id,
    })
  })
})
