import { expect, test } from 'vitest'
import { encodePayload } from '../../src/codec/entry/payload-codec.ts'
import type { AnyQueryMessage, Consistency } from '../../src/protocol/up-frame.ts'
import { attachedClient, connect, type Heard, worldOf } from './recorder.ts'

/** A session, what it asks bound to itself or not, and how an operator ends it. */
function asker() {
  const world = worldOf()
  const { connection, recorder, session } = attachedClient(world)
  world.node.holdsReads = true
  return {
    world,
    session,
    connection,
    ask: (kind: AnyQueryMessage['kind'], consistency: Consistency, minIndex = 0, channel = 1): void =>
      connection.receiveQuery({
        kind,
        channel,
        correlationId: 5,
        consistency,
        incarnation: 0,
        minIndex,
        machine: 't',
        query: 'asker',
        input: Buffer.from([0xc0]),
      }),
    evict: (): void => {
      world.node.append('EvictSession', encodePayload('EvictSession', { ...session, note: 'moved' }))
      world.node.run()
    },
    answers: (): Heard[] => recorder.take().filter(([kind]) => kind === 'queried'),
  }
}

test.each(['linearizable', 'sequential', 'stale'] as const)('a %s query bound to a live session is answered', (of) => {
  const { ask, answers, world } = asker()
  ask('boundQuery', of)
  world.node.reads[0]?.ready()
  expect(answers()).toMatchObject([['queried', 5, {}, { kind: 'value', value: 'user:1' }]])
})

test('one that waits for a read is refused if its session is gone by then; one that is not bound is answered', () => {
  const { ask, answers, evict, world } = asker()
  ask('boundQuery', 'linearizable')
  ask('query', 'linearizable')
  evict()
  expect(answers()).toEqual([])
  world.node.reads[0]?.ready()
  const end = { reason: 'expired', note: 'moved', at: expect.any(Number) }
  expect(answers()).toMatchObject([
    ['queried', 5, {}, { kind: 'refused', code: 'SESSION_EXPIRED', details: end }],
    ['queried', 5, {}, { kind: 'value', value: null }],
  ])
})

test('one that waits for its index is refused where the session ended by then', () => {
  const { ask, answers, evict, world } = asker()
  ask('boundQuery', 'sequential', world.node.machine.appliedIndex + 1)
  evict()
  expect(answers()).toMatchObject([['queried', 5, {}, { kind: 'refused', code: 'SESSION_EXPIRED' }]])
})

test('a session whose end is forgotten is unknown, and of one that this node has yet to hear of nothing is said', () => {
  const { ask, answers, evict, world } = asker()
  const { machine } = world.node
  const index = machine.appliedIndex
  ask('boundQuery', 'linearizable')
  ask('boundQuery', 'linearizable')
  evict()
  machine.sessionEnd = () => null
  const [read] = world.node.reads
  Object.defineProperty(machine, 'appliedIndex', { value: 2, configurable: true })
  expect(index).toBeGreaterThan(2)
  read?.ready()
  expect(answers().map(([, , , answer]) => answer)).toMatchObject([{ code: 'BEHIND' }, { code: 'BEHIND' }])
  Object.defineProperty(machine, 'appliedIndex', { value: index + 1 })
  read?.ready()
  expect(answers().map(([, , , answer]) => answer)).toMatchObject([
    { code: 'SESSION_UNKNOWN' },
    { code: 'SESSION_UNKNOWN' },
  ])
})

test('a query that is bound needs a session', () => {
  const { ask, answers, world } = asker()
  ask('boundQuery', 'stale', 0, 0)
  ask('boundQuery', 'stale', 0, 3)
  expect(answers().map(([, , , answer]) => answer)).toMatchObject([{ code: 'NOT_ATTACHED' }, { code: 'NOT_ATTACHED' }])
  expect(connect(world).recorder.take()).toEqual([])
})
