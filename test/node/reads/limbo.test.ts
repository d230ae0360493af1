import { describe, expect, test } from 'vitest'
import type { ReadInLimbo, ReadRefusal, ReadSink } from '../../../src/node/api.ts'
import type { LimboRows, QueryRequest } from '../../../src/session/state-machine.ts'
import type { Outcome } from '../../../src/session/user-machine.ts'
import { asked, limboMachine } from '../../session/limbo/limbo-machine.ts'
import { Cluster, raftOf } from '../cluster.ts'
import { openSession, requestPayload, resultOf, submit } from '../commands.ts'
import type { TestNetwork } from '../test-network.ts'
import type { TestNode } from '../test-node.ts'
import { Told } from '../told.ts'

const TERMS = { ms: 300, driftPermille: 100 }
/** Δ · (1 + ε), in which a new leader commits nothing of its own. */
const DEFERRAL_MS = 330

/** A read that stands for queries, of which it remembers when they were answered. */
class Asking implements ReadSink {
  readonly inLimbo = new Map<string, Outcome>()
  readonly later = new Map<string, Outcome>()
  tries = 0
  failure: ReadRefusal | null = null
  private readonly node: TestNode
  private waiting: readonly (readonly [string, QueryRequest])[]

  constructor(node: TestNode, keys: readonly string[]) {
    this.node = node
    this.waiting = keys.map((key) => [key, key === 'index' ? asked(key) : asked('get', key)])
    node.driver.read(this, 5000)
  }

  begun(): void {}

  ready(): void {
    expect([this.later.size, this.failure]).toEqual([0, null])
    // Of one that was answered in limbo nothing is left to answer.
    expect(this.waiting).not.toEqual([])
    for (const [key, request] of this.waiting) this.later.set(key, this.node.machine.query(request))
    this.waiting = []
  }

  readyInLimbo(limbo: LimboRows | null): ReadInLimbo {
    expect(this.failure).toBeNull()
    this.tries += 1
    const before = this.waiting.length
    this.waiting = this.waiting.filter(([key, request]) => {
      const answer = limbo === null ? null : this.node.machine.queryInLimbo(request, limbo)
      if (answer !== null) this.inLimbo.set(key, answer)
      return answer === null
    })
    return { answered: before - this.waiting.length, waiting: this.waiting.length }
  }

  failed(code: ReadRefusal): void {
    this.failure = code
  }
}

interface Successor {
  readonly cluster: Cluster
  readonly old: TestNode
  readonly next: TestNode
  /** The one that neither led nor leads. */
  readonly third: TestNode
}

const ALL_PASS: TestNetwork['script'] = (frame) => frame
/** Nobody says that it holds what a leader sent. */
const NOBODY_FOLLOWS: typeof ALL_PASS = (frame) => (raftOf(frame, 'appendEntriesResponse') === null ? frame : null)

/** A leader answers what `entries` asks for, the others only hold it, and one of them succeeds it; `script` from then on. */
function successor(entries: (node: TestNode, session: number) => void, script = ALL_PASS): Successor {
  const cluster = Cluster.started({ leases: () => TERMS, user: limboMachine })
  cluster.until(() => cluster.nodes.every(({ driver }) => driver.status().leaseMs === TERMS.ms), 'leases are in force')
  const old = cluster.leader
  const session = openSession(old)
  submit(old, session, 1, 'put', 1)
  submit(old, session, 2, 'put', 2)
  cluster.clock.advance(200)
  const { commitIndex } = old.driver.raftState
  cluster.network.script = (frame) => {
    const append = raftOf(frame, 'appendEntries')
    return append !== null && append.message.leaderCommit > commitIndex ? null : frame
  }
  entries(old, session)
  cluster.clock.settle()
  expect(old.machine.appliedIndex).toBeGreaterThan(commitIndex)
  cluster.network.isolate(old.id)
  cluster.network.script = script
  const others = cluster.nodes.filter((node) => node !== old)
  cluster.until(() => others.some(({ driver }) => driver.role === 'leader'), 'another one is elected')
  const [next] = others.filter(({ driver }) => driver.role === 'leader')
  const [third] = others.filter((node) => node !== next)
  if (next === undefined || third === undefined) throw new Error('one of two leads')
  expect(next.machine.appliedIndex).toBe(commitIndex)
  return { cluster, old, next, third }
}

const put = (key: number) => (node: TestNode, session: number) => {
  expect(resultOf(write(node, session, 3, key))).toBeGreaterThan(0)
}

function write(node: TestNode, session: number, requestId: number, key: number): Told {
  const told = submit(node, session, requestId, 'put', key)
  node.options.clock.settle()
  return told
}

const limboOf = ({ driver }: TestNode): readonly number[] => {
  const { limboAnswered, limboWaited } = driver.status()
  return [limboAnswered, limboWaited]
}

describe('a new leader that does not know what was committed', () => {
  test('answers queries that this does not touch, and the others once it knows', () => {
    const { cluster, old, next } = successor(put(2))
    const read = new Asking(next, ['k1', 'k2', 'index'])
    cluster.clock.settle()
    expect([...read.inLimbo]).toEqual([['k1', old.machine.query(asked('get', 'k1'))]])
    expect([read.later.size, next.driver.leading]).toEqual([0, false])
    cluster.clock.advance(DEFERRAL_MS - 20)
    expect(read.later.size).toBe(0)
    cluster.clock.advance(30)
    expect([...read.later.keys()]).toEqual(['k2', 'index'])
    expect(read.later.get('k2')).toEqual(old.machine.query(asked('get', 'k2')))
    expect([read.tries, limboOf(next)]).toEqual([1, [1, 2]])
  })

  test('finds out once what its entries write, however many reads there are', () => {
    const { cluster, next } = successor(put(2))
    let tried = 0
    const { machine } = next
    const tryLimbo = machine.tryLimbo.bind(machine)
    machine.tryLimbo = () => {
      tried += 1
      return tryLimbo()
    }
    for (let at = 0; at < 10; at += 1) {
      const reads = [new Asking(next, ['k1']), new Asking(next, ['k2'])]
      cluster.clock.settle()
      expect(reads.map(({ inLimbo }) => inLimbo.size)).toEqual([1, 0])
      cluster.clock.advance(10)
    }
    cluster.clock.advance(DEFERRAL_MS)
    expect([tried, limboOf(next), next.driver.leading]).toEqual([1, [10, 10], true])
  })

  test('lets all queries wait where nobody can tell what its entries write', () => {
    const { cluster, next } = successor((node) => void openSession(node, 'b'))
    const read = new Asking(next, ['k1', 'k9'])
    cluster.clock.settle()
    expect([read.tries, read.inLimbo.size, limboOf(next)]).toEqual([1, 0, [0, 2]])
    cluster.clock.advance(DEFERRAL_MS + 10)
    expect([...read.later.keys()]).toEqual(['k1', 'k9'])
  })

  test('tells another node that reads only what is known to be committed', () => {
    const { cluster, next, third } = successor(put(2))
    const read = new Asking(third, ['k1', 'k2'])
    cluster.clock.settle()
    expect([read.tries, read.later.size]).toEqual([0, 0])
    cluster.clock.advance(DEFERRAL_MS + 100)
    expect([read.tries, read.later.size, limboOf(next), limboOf(third)]).toEqual([0, 2, [0, 0], [0, 0]])
  })

  test('and never does, for another one follows it: what waits is answered by what that one knows', () => {
    const { cluster, next, third } = successor(put(2), NOBODY_FOLLOWS)
    const read = new Asking(next, ['k1', 'k2'])
    cluster.clock.settle()
    expect([read.inLimbo.size, read.later.size]).toEqual([1, 0])
    cluster.network.heal()
    cluster.network.isolate(next.id)
    cluster.network.script = ALL_PASS
    cluster.until(() => third.driver.leading, 'the third leads')
    expect(read.later.size).toBe(0)
    cluster.network.heal()
    cluster.until(() => read.later.size > 0, 'it is answered')
    expect([[...read.inLimbo.keys()], [...read.later.keys()]]).toEqual([['k1'], ['k2']])
  })

  test('that closes in the midst of a read tells the rest that it does', () => {
    const { cluster, next } = successor(put(2))
    const first = new Asking(next, ['k2'])
    const second = new Asking(next, ['k1'])
    const readyInLimbo = first.readyInLimbo.bind(first)
    first.readyInLimbo = (limbo) => {
      const told = readyInLimbo(limbo)
      next.driver.close(() => undefined)
      return told
    }
    cluster.clock.settle()
    expect([first.failure, second.failure, second.inLimbo.size]).toEqual(['SHUTTING_DOWN', 'SHUTTING_DOWN', 0])
  })
})

test('a command that is answered while it is in limbo is seen by whoever reads after it', () => {
  const { cluster, old, next } = successor((node, session) => {
    const told = new Told()
    node.driver.submit('ClientRequest', requestPayload(session, 3, 'remove', 1), told)
    node.options.clock.settle()
    expect(resultOf(told)).toBe(true)
  })
  expect(old.machine.query(asked('get', 'k1'))).toEqual({ kind: 'value', value: null })
  const read = new Asking(next, ['k1', 'k2'])
  cluster.clock.settle()
  expect([...read.inLimbo.keys()]).toEqual(['k2'])
  cluster.clock.advance(DEFERRAL_MS + 10)
  expect(read.later.get('k1')).toEqual({ kind: 'value', value: null })
})
