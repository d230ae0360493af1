import { describe, expect, test } from 'vitest'
import { OUTCOME_QUERY, OWN_MACHINE } from '../../src/protocol/own-queries.ts'
import type { AttachMessage, QueryMessage } from '../../src/protocol/up-frame.ts'
import { attachedClient, connect, SECRET, worldOf } from './recorder.ts'

const CHANNEL = 4
const ASKER: QueryMessage = {
  kind: 'query',
  channel: CHANNEL,
  correlationId: 5,
  consistency: 'stale',
  incarnation: 0,
  minIndex: 0,
  machine: 't',
  query: 'asker',
  input: Buffer.from([0xc0]),
}

/** A session that somebody holds, and another connection that may attach it, and ask. */
function claimant() {
  const world = worldOf()
  const { session, epoch } = attachedClient(world)
  const { connection, recorder } = connect(world)
  return {
    world,
    session,
    epoch,
    attach: (over: Partial<AttachMessage> = {}): void => {
      const named = { ...session, channel: CHANNEL, secret: SECRET, replaces: epoch, nonce: Buffer.alloc(16, 2) }
      connection.receiveAttach({ kind: 'attach', ...named, ...over })
    },
    ask: (over: Partial<QueryMessage> = {}): unknown => {
      connection.receiveQuery({ ...ASKER, ...over })
      return recorder.take().at(-1)?.[3]
    },
  }
}

test('a session that the node knows may ask from its attach on, before that is in the log, and after it', () => {
  const { world, attach, ask } = claimant()
  expect(ask()).toMatchObject({ code: 'NOT_ATTACHED' })
  attach()
  expect(ask()).toEqual({ kind: 'value', value: 'user:1' })
  world.node.run()
  expect(ask()).toEqual({ kind: 'value', value: 'user:1' })
})

test('what became of its commands it is told only once the attach is in force', () => {
  const { world, attach, ask } = claimant()
  const outcome = { machine: OWN_MACHINE, query: OUTCOME_QUERY }
  attach()
  expect(ask(outcome)).toMatchObject({ code: 'NOT_ATTACHED' })
  world.node.run()
  expect(ask(outcome)).toMatchObject({ code: 'VALIDATION_ERROR' })
})

test.each([
  ['another secret', () => ({ secret: Buffer.alloc(32, 9) })],
  ['a session that is not known', (index: number) => ({ index: index + 1 })],
])('an attach with %s lets nobody ask', (_name, over) => {
  const { session, attach, ask } = claimant()
  attach()
  attach(over(session.index))
  expect(ask()).toMatchObject({ code: 'NOT_ATTACHED' })
})

test('nobody asks on a channel whose attach was refused, or lost with the leader', () => {
  const { world, attach, ask, epoch } = claimant()
  // Somebody else holds it by now, and it replaces nobody.
  attach({ replaces: 0 })
  world.node.run()
  expect(ask()).toMatchObject({ code: 'NOT_ATTACHED' })
  attach({ replaces: epoch })
  for (const { sink } of world.node.queue.splice(0)) sink?.lost()
  expect(ask()).toMatchObject({ code: 'NOT_ATTACHED' })
})

describe('linearizable queries whose read is refused', () => {
  const linearizable = (correlationId: number): QueryMessage => {
    return { ...ASKER, channel: 0, correlationId, consistency: 'linearizable' }
  }

  test('before it has begun, for nobody leads, are told, and those after them wait for another read', () => {
    const world = worldOf()
    world.node.holdsReads = true
    const { connection, recorder } = connect(world)
    connection.receiveQuery(linearizable(1))
    world.node.reads[0]?.failed('READ_UNCONFIRMED')
    expect(recorder.take()).toMatchObject([['queried', 1, {}, { kind: 'refused', code: 'READ_UNCONFIRMED' }]])
    connection.receiveQuery(linearizable(2))
    world.node.reads[1]?.begun()
    world.node.reads[1]?.ready()
    expect(recorder.take()).toMatchObject([['queried', 2, {}, { kind: 'value' }]])
  })

  test('at once, by a node that has stopped, are each told', () => {
    const world = worldOf()
    world.node.read = (sink) => sink.failed('SHUTTING_DOWN')
    const { connection, recorder } = connect(world)
    for (const correlationId of [1, 2]) connection.receiveQuery(linearizable(correlationId))
    expect(recorder.take()).toMatchObject([
      ['queried', 1, {}, { kind: 'refused', code: 'SHUTTING_DOWN' }],
      ['queried', 2, {}, { kind: 'refused', code: 'SHUTTING_DOWN' }],
    ])
  })
})

test('a query that has waited too long for its index waits at the node no more', () => {
  const world = worldOf()
  const { connection, recorder } = connect(world)
  for (const minIndex of [98, 99])
    connection.receiveQuery({ ...ASKER, channel: 0, consistency: 'sequential', minIndex })
  expect(world.node.waiting).toBe(2)
  world.clock.advance(10_000)
  expect(recorder.take().map(([, , , answer]) => answer)).toMatchObject([{ code: 'BEHIND' }, { code: 'BEHIND' }])
  expect(world.node.waiting).toBe(0)
})

test.each(['sequential', 'stale'] as const)('a %s query that has waited does not run amid the expiries after', (of) => {
  const world = worldOf()
  let readable = of === 'sequential'
  Object.defineProperty(world.node.machine, 'readable', { get: () => readable })
  const { connection, recorder } = connect(world)
  const next = world.node.machine.appliedIndex + 1
  connection.receiveQuery({ ...ASKER, channel: 0, consistency: of, minIndex: next })
  readable = false
  world.node.append('Tick')
  world.node.run()
  expect([recorder.take(), world.node.waiting]).toEqual([[], 1])
  readable = true
  world.node.append('Tick')
  world.node.run()
  expect(recorder.take()).toMatchObject([['queried', 5, { index: next + 1 }, { kind: 'value' }]])
})
