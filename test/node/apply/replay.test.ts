import { describe, expect, test } from 'vitest'
import { bareMachine, counterHandlers, number } from '../../session/bare-machine.ts'
import { openSession, resultOf, submit } from '../commands.ts'
import { TestClock } from '../test-clock.ts'
import { TestNode, type TestNodeOptions } from '../test-node.ts'

/** A counter that may be of another build after a restart: one that adds 2. */
class Build {
  changed = false
  readonly node: TestNode

  constructor(options: Partial<TestNodeOptions> = {}) {
    const increment: (typeof counterHandlers)['increment'] = (context) => {
      const next = number(context.state.get('count')) + (this.changed ? 2 : 1)
      context.state.set('count', next)
      return next
    }
    this.node = new TestNode({
      clock: new TestClock(),
      user: () => bareMachine({ ...counterHandlers, increment }),
      code: () => (this.changed ? 'changed' : 'c'),
      ...options,
    })
  }

  /** Executes commands with time between them, so that the trail follows. */
  run(session: number, requestIds: readonly number[]): number[] {
    return requestIds.map((requestId) => {
      const told = submit(this.node, session, requestId)
      this.node.options.clock.advance(100)
      return number(resultOf(told))
    })
  }
}

describe('a node whose handler changed without a version', () => {
  test('halts in the replay, names where and who, and serves nothing before it', () => {
    const build = new Build()
    const { node } = build
    node.start()
    const session = openSession(node)
    node.options.clock.advance(100)
    build.run(session, [1, 2, 3])
    const before = node.driver.status()
    node.crash(false)
    build.changed = true
    node.open()
    expect(node.applied.splice(0).length).toBeGreaterThan(0)
    node.options.clock.advance(1000)
    const { halted, appliedIndex } = node.driver.status()
    expect(halted).toMatchObject({ code: 'REPLAY_DIVERGED', index: session + 1 })
    expect(halted?.message).toContain(`at entry ${session + 1} it differs, at entry ${session} it was still equal`)
    expect(halted?.message).toContain('the handlers of test (version 1) changed without a new version')
    expect(appliedIndex).toBe(session)
    expect(node.applied.map(({ index }) => index)).not.toContain(session + 1)
    expect(node.close()).toBe(true)
    // The old code opens it again, with everything that was acknowledged.
    build.changed = false
    node.restart(false)
    node.options.clock.advance(1000)
    expect(node.driver.status()).toMatchObject({ halted: null, rows: before.rows })
    expect(build.run(session, [3, 4])).toEqual([3, 4])
  })

  test('serves nobody who waits for it, and leaves the trail to whose it is', () => {
    const build = new Build()
    const { node } = build
    node.start()
    const session = openSession(node)
    node.options.clock.advance(100)
    // One record behind both.
    submit(node, session, 1)
    submit(node, session, 2)
    node.options.clock.advance(100)
    node.crash(false)
    build.changed = true
    for (let start = 1; start <= 2; start += 1) {
      node.start()
      const served: boolean[] = []
      const { driver } = node
      driver.waitApplied(session + 1, (there) =>
        served.push(there && !driver.replaying && driver.status().halted === null),
      )
      node.options.clock.advance(1000)
      expect(node.driver.status().halted?.message).toContain('the handlers of test (version 1) changed')
      expect(served).toEqual([false])
      expect(node.close()).toBe(true)
    }
  })

  test('is found also when it wrote snapshots on its way, and they are of the state that was compared', () => {
    const build = new Build({ limits: { snapshotBytes: 1 } })
    const { node } = build
    node.start()
    const session = openSession(node)
    node.options.clock.advance(100)
    node.holdSnapshots()
    build.run(session, [1, 2, 3])
    node.crash(false)
    build.changed = true
    node.start()
    node.options.clock.advance(1000)
    expect(node.driver.status().halted).toMatchObject({ code: 'REPLAY_DIVERGED' })
    expect(node.close()).toBe(true)
    build.changed = false
    node.restart(false)
    node.options.clock.advance(1000)
    expect(node.driver.status().halted).toBeNull()
    expect(build.run(session, [4])).toEqual([4])
  })

  test('is not found where nothing was applied since the snapshot, and no other replay is stopped', () => {
    const build = new Build({ limits: { snapshotBytes: 1 } })
    const { node } = build
    node.start()
    const session = openSession(node)
    for (let round = 0; round < 5; round += 1) {
      build.run(session, [round * 2 + 1, round * 2 + 2])
      node.restart(round % 2 === 0)
      node.options.clock.advance(1000)
      expect(node.driver.status().halted).toBeNull()
      expect(node.driver.replaying).toBe(false)
    }
    expect(build.run(session, [11])).toEqual([11])
  })
})
