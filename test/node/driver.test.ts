import { describe, expect, test } from 'vitest'
import { counterHandlers, bareMachine } from '../session/bare-machine.ts'
import { numbersOf, openSession, requestPayload, submit, resultOf } from './commands.ts'
import { TestClock } from './test-clock.ts'
import { TestNode, type TestNodeOptions } from './test-node.ts'
import { Told } from './told.ts'

const single = (options: Partial<TestNodeOptions> = {}): TestNode =>
  new TestNode({ clock: new TestClock(), ...options }).start()

describe.each([
  { name: 'a disk that completes before it returns', synchronous: true },
  { name: 'a disk that completes later', synchronous: false },
])('a single node over $name', ({ synchronous }) => {
  test('FR-016 FR-018 leads at once and settles what is submitted with what apply answered, in order', () => {
    const node = single({ synchronous })
    expect(node.driver.leading).toBe(true)
    const session = openSession(node)
    const sinks = [1, 2, 3].map((id) => submit(node, session, id))
    expect(sinks.map((sink) => sink.told)).toEqual([null, null, null])
    node.options.clock.settle()
    expect(sinks.map(resultOf)).toEqual([1, 2, 3])
    expect(sinks.map((sink) => sink.index)).toEqual([session + 1, session + 2, session + 3])
  })

  test('P-23 FR-011 a restart brings the state back, hash and cached responses included', () => {
    const node = single({ synchronous })
    const session = openSession(node)
    for (let id = 1; id <= 5; id += 1) submit(node, session, id)
    node.options.clock.settle()
    const { appliedIndex } = node.machine
    const hash = node.machine.stateHash()
    node.restart()
    node.applied = []
    expect(node.driver.leading).toBe(true)
    expect(node.machine.appliedIndex).toBe(appliedIndex + 1)
    const replayed = single({ synchronous: true })
    const same = openSession(replayed)
    for (let id = 1; id <= 5; id += 1) submit(replayed, same, id)
    replayed.options.clock.settle()
    expect(replayed.machine.stateHash()).toBe(hash)
    const again = submit(node, session, 5)
    const fresh = submit(node, session, 6)
    node.options.clock.settle()
    expect(again.reply).toMatchObject({ replayed: true })
    expect([resultOf(again), resultOf(fresh)]).toEqual([5, 6])
  })

  test('what is submitted in one turn becomes one log write', () => {
    const node = single({ synchronous })
    const session = openSession(node)
    const writes: number[] = []
    const before = node.driver.raftState.disk.lastWrite
    for (let id = 1; id <= 100; id += 1) submit(node, session, id)
    node.options.clock.settle()
    writes.push(node.driver.raftState.disk.lastWrite - before)
    expect(writes).toEqual([1])
  })

  test('a sink may submit again from within its callback, and the payload is copied at once', () => {
    const node = single({ synchronous })
    const session = openSession(node)
    const bytes = requestPayload(session, 1)
    const chain: Told[] = []
    const next = (id: number): Told =>
      new Told(() => {
        if (id > 4) return
        chain.push(next(id + 1))
        node.driver.submit('ClientRequest', requestPayload(session, id + 1), chain[chain.length - 1] ?? null)
      })
    const first = next(1)
    node.driver.submit('ClientRequest', bytes, first)
    bytes.fill(0)
    node.options.clock.settle()
    expect([first, ...chain].map(resultOf)).toEqual([1, 2, 3, 4, 5])
  })

  test('a sink hears its index before its entry is applied, and what it submits then comes behind it', () => {
    const node = single({ synchronous })
    const session = openSession(node)
    const heard: string[] = []
    const behind = new Told()
    const sink = Object.assign(new Told(({ told, index }) => heard.push(`${told} ${index}`)), {
      appended: (index: number): void => {
        heard.push(`appended ${index}`)
        node.driver.submit('ClientRequest', requestPayload(session, 3), behind)
      },
    })
    const first = submit(node, session, 1)
    node.driver.submit('ClientRequest', requestPayload(session, 2), sink)
    expect(heard).toEqual([])
    node.options.clock.settle()
    expect(heard).toEqual([`appended ${session + 2}`, `settled ${session + 2}`])
    expect([first, sink, behind].map(({ index }) => index)).toEqual([session + 1, session + 2, session + 3])
    expect([first, sink, behind].map(resultOf)).toEqual([1, 2, 3])
  })

  test('close tells every sink once and calls back every time it is asked', () => {
    const node = single({ synchronous })
    const session = openSession(node)
    const told = submit(node, session, 1)
    const ping = new Told()
    node.driver.keepAlive(numbersOf(session), ping)
    const reached: boolean[] = []
    node.driver.waitApplied(1000, (result) => reached.push(result))
    expect([node.close(), node.close()]).toEqual([true, true])
    expect([told.told, ping.told]).toEqual(['refused SHUTTING_DOWN', 'refused SHUTTING_DOWN'])
    const late = [submit(node, session, 2), new Told()]
    node.driver.keepAlive(numbersOf(session), late[1] as Told)
    node.driver.waitApplied(1000, (result) => reached.push(result))
    expect(late.map((sink) => sink.told)).toEqual(['refused SHUTTING_DOWN', 'refused SHUTTING_DOWN'])
    expect(reached).toEqual([false, false])
    expect(node.stopped).toEqual([])
    expect(node.driver.leading).toBe(false)
  })

  test('close may be called from within a sink', () => {
    const node = single({ synchronous })
    const session = openSession(node)
    let closed = false
    const first = new Told(() => node.driver.close(() => (closed = true)))
    node.driver.submit('ClientRequest', requestPayload(session, 1), first)
    const second = submit(node, session, 2)
    node.options.clock.settle()
    expect([first.told, second.told, closed]).toEqual(['settled', 'lost', true])
  })
})

describe('proposals that cannot be appended', () => {
  test('hear of no index', () => {
    const node = single({ raft: { uncommittedBytesMax: 1 } })
    const session = openSession(node)
    node.holdDisk()
    submit(node, session, 1)
    node.options.clock.settle()
    const indexes: number[] = []
    const sink = Object.assign(new Told(), { appended: (index: number) => void indexes.push(index) })
    node.driver.submit('ClientRequest', requestPayload(session, 2), sink)
    node.options.clock.settle()
    expect([sink.told, indexes]).toEqual(['refused OVERLOADED', []])
  })

  test('are refused once; what a sink submits meanwhile is judged in the next turn, so that the loop goes on', () => {
    const node = single({ raft: { uncommittedBytesMax: 1 } })
    const session = openSession(node)
    node.holdDisk()
    const first = submit(node, session, 1)
    node.options.clock.settle()
    let turnOver = false
    let again = 0
    const stubborn = (): Told =>
      new Told(() => {
        if (turnOver || again === 1000) return
        again += 1
        node.driver.submit('ClientRequest', requestPayload(session, 2), stubborn())
      })
    node.driver.submit('ClientRequest', requestPayload(session, 2), stubborn())
    node.options.clock.defer(() => {
      turnOver = true
    })
    node.options.clock.settle()
    expect([first.told, again]).toEqual([null, 1])
    node.releaseDisk()
    expect(first.told).toBe('settled')
  })

  test('the sizes of proposals are counted with their headers', () => {
    // Two payloads fit, two records do not.
    const node = single({ raft: { uncommittedBytesMax: 2 * requestPayload(3, 1).length + 60 } })
    const session = openSession(node)
    node.holdDisk()
    const sinks = [1, 2].map((id) => {
      const sink = submit(node, session, id)
      node.options.clock.settle()
      return sink
    })
    expect(sinks.map((sink) => sink.told)).toEqual([null, 'refused OVERLOADED'])
  })

  test('P-07 a leader whose disk hangs for an election timeout refuses, and accepts again once the disk is back', () => {
    const node = single()
    const session = openSession(node)
    node.holdDisk()
    const hanging = submit(node, session, 1)
    node.options.clock.advance(599)
    const accepted = submit(node, session, 2)
    node.options.clock.advance(100)
    const refused = submit(node, session, 3)
    node.options.clock.advance(1)
    expect([hanging.told, accepted.told, refused.told]).toEqual([null, null, 'refused STORAGE_STALLED'])
    node.releaseDisk()
    const later = submit(node, session, 3)
    node.options.clock.advance(1)
    expect([hanging.told, accepted.told, later.told]).toEqual(['settled', 'settled', 'settled'])
  })

  test('P-02 are refused with the reason, and the leader where it is known', () => {
    const node = new TestNode({ clock: new TestClock(), voters: ['n1', 'n2', 'n3'] }).start()
    expect(submit(node, 3, 1).told).toBe('refused NOT_LEADER')
    const ping = new Told()
    node.driver.keepAlive(numbersOf(3), ping)
    expect(ping.told).toBe('refused NOT_LEADER')
  })
})

describe('a fault', () => {
  const fault = { code: 'IO_ERROR', message: 'the disk is gone' } as const

  test('stops the node once: sinks are told, nothing is sent or written, nobody leads here', () => {
    const node = single()
    const session = openSession(node)
    node.holdDisk()
    const appended = submit(node, session, 1)
    node.options.clock.settle()
    const queued = submit(node, session, 2)
    const ping = new Told()
    node.driver.keepAlive(numbersOf(session), ping)
    const reached: boolean[] = []
    node.driver.waitApplied(1000, (result) => reached.push(result))
    node.reportFault(fault)
    node.reportFault(fault)
    expect(node.stopped).toEqual([fault])
    expect([appended.told, queued.told, ping.told]).toEqual(['lost', 'refused SHUTTING_DOWN', 'refused SHUTTING_DOWN'])
    expect(reached).toEqual([false])
    expect(node.driver.leading).toBe(false)
    node.options.clock.advance(10_000)
    expect(node.stopped).toHaveLength(1)
    node.releaseDisk()
    expect(node.close()).toBe(true)
  })

  test('inside a log write leaves what was being appended unknown, since it may have reached a peer', () => {
    const node = new TestNode({ clock: new TestClock(), synchronous: true })
    let broken = false
    node.wrapLog = (log) => {
      const append = log.append.bind(log)
      return Object.assign(log, {
        append: (write: Parameters<typeof log.append>[0]) => {
          if (broken) node.reportFault(fault)
          append(write)
        },
      })
    }
    node.start()
    const session = openSession(node)
    broken = true
    const told = submit(node, session, 1)
    node.options.clock.settle()
    expect(told.told).toBe('lost')
    expect(node.stopped).toEqual([fault])
    node.close()
  })
})

describe('waiting for an index', () => {
  test('ends when it is applied, and is heard of no more once it is cancelled', () => {
    const node = single()
    const session = openSession(node)
    const reached: boolean[] = []
    node.driver.waitApplied(session, (result) => reached.push(result))
    node.driver.waitApplied(session + 2, (result) => reached.push(result))
    const wait = node.driver.waitApplied(session + 1, (result) => reached.push(result))
    expect(reached).toEqual([true])
    wait.cancel()
    submit(node, session, 1)
    node.options.clock.settle()
    expect(reached).toEqual([true])
    submit(node, session, 2)
    node.options.clock.settle()
    expect(reached).toEqual([true, true])
  })
})

describe('an idle single node', () => {
  test('P-21 goes on with its duties after a replay that took several turns: a timer that is due fires', () => {
    const fired: string[] = []
    const user = () =>
      bareMachine(
        {
          ...counterHandlers,
          schedule: (context) => {
            context.schedule('test', 'alarm', context.now + 22_500, null)
            return null
          },
        },
        { onTimer: (_context, timer) => void fired.push(timer.name) },
      )
    const node = single({ user, cacheBytes: 1 })
    const session = openSession(node)
    submit(node, session, 1, 'schedule')
    node.options.clock.settle()
    node.crash()
    node.options.clock.stall(20_000)
    fired.length = 0
    // The disk hangs once this node leads and begins to replay.
    node.wrapLog = (log) => {
      const read = log.read.bind(log)
      return Object.assign(log, {
        read: (...given: Parameters<typeof log.read>) => {
          if (given[0].last > given[0].first) node.holdDisk()
          read(...given)
        },
      })
    }
    node.start()
    node.options.clock.advance(2000)
    expect([node.driver.role, node.driver.leading]).toEqual(['leader', false])
    node.wrapLog = (log) => log
    node.releaseDisk()
    node.options.clock.advance(1000)
    expect(fired).toEqual(['alarm'])
  })

  test('opens with the address that was given until the log says another', () => {
    const node = single()
    expect(node.driver.addressOf(node.id)).toBe('n1:1')
  })
})
