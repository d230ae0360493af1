import { describe, expect, test } from 'vitest'
import { nodeId } from '../../src/base/brand.ts'
import { encodePayload } from '../../src/codec/entry/payload-codec.ts'
import { parserOf } from './fake-node.ts'
import { attachAgain, attachedClient, command, connect, type Heard, worldOf } from './recorder.ts'

const codes = (heard: readonly Heard[]): unknown[] =>
  heard.map(([name, , requestId, answer]) => [
    name,
    requestId,
    (answer as { code?: string; kind: string }).code ?? (answer as { kind: string }).kind,
  ])

describe('commands', () => {
  test('FR-003 S-01 a new id is executed once and answered with its value and index', () => {
    const world = worldOf()
    const { connection, recorder } = attachedClient(world)
    connection.receiveRequest(command(1, 'echo', { a: 1 }))
    expect(recorder.take()).toEqual([])
    world.node.run()
    expect(recorder.take()).toEqual([
      [
        'responded',
        1,
        1,
        { kind: 'outcome', outcome: { kind: 'value', value: { a: 1 } }, replayed: false, index: 5, invalidAck: false },
      ],
    ])
    expect(world.node.user.calls).toEqual(['echo'])
  })

  test('FR-004 S-02 an applied duplicate is answered from the cache without a log entry', () => {
    const world = worldOf()
    const { connection, recorder } = attachedClient(world)
    connection.receiveRequest(command(1, 'echo', 'x'))
    world.node.run()
    recorder.take()
    const before = world.node.submitted.length
    connection.receiveRequest(command(1, 'echo', 'x'))
    expect(recorder.take()).toMatchObject([
      ['responded', 1, 1, { kind: 'outcome', replayed: true, outcome: { value: 'x' } }],
    ])
    expect(world.node.submitted.length).toBe(before)
    expect(world.node.user.calls).toEqual(['echo'])
  })

  test('a duplicate in flight with the same bytes joins the first copy; other bytes are a conflict', () => {
    const world = worldOf()
    const { connection, recorder } = attachedClient(world)
    connection.receiveRequest(command(1, 'echo', 'x'))
    connection.receiveRequest(command(1, 'echo', 'x'))
    connection.receiveRequest(command(1, 'echo', 'y'))
    expect(codes(recorder.take())).toEqual([['responded', 1, 'REQUEST_CONFLICT']])
    world.node.run()
    expect(codes(recorder.take())).toEqual([['responded', 1, 'outcome']])
    expect(world.node.submitted.filter((kind) => kind === 'ClientRequest').length).toBe(1)
  })

  test('an applied id with other bytes goes to the log, which alone says REQUEST_CONFLICT', () => {
    const world = worldOf()
    const { connection, recorder } = attachedClient(world)
    connection.receiveRequest(command(1, 'echo', 'x'))
    world.node.run()
    recorder.take()
    connection.receiveRequest(command(1, 'echo', 'y'))
    expect(recorder.take()).toEqual([])
    world.node.run()
    expect(recorder.take()).toMatchObject([
      ['responded', 1, 1, { kind: 'refused', code: 'REQUEST_CONFLICT', index: 6 }],
    ])
  })

  test('LR-008 an id below the floor is RESPONSE_EVICTED and never executed', () => {
    const world = worldOf()
    const { connection, recorder } = attachedClient(world)
    connection.receiveRequest(command(1))
    connection.receiveRequest(command(2, 'echo', 2, { lowestPendingRequestId: 2 }))
    world.node.run()
    recorder.take()
    connection.receiveRequest(command(1))
    world.node.run()
    expect(recorder.take()).toMatchObject([['responded', 1, 1, { kind: 'refused', code: 'RESPONSE_EVICTED' }]])
    expect(world.node.user.calls.length).toBe(2)
  })

  test.each([
    ['LR-006 a missing lowestPendingRequestId', { lowestPendingRequestId: 0 }, 'INVALID'],
    ['id 0', { requestId: 0 }, 'INVALID'],
    ['an id above 2^53-1', { requestId: 2 ** 53 }, 'INVALID'],
    ['a negative id', { requestId: -1 }, 'INVALID'],
    ['a negative ack', { ackServerRequests: -1 }, 'INVALID'],
    ['an unknown machine', { machine: 'nobody' }, 'UNKNOWN_MACHINE'],
    ['an unknown command', { command: 'unknown' }, 'UNKNOWN_COMMAND'],
    ['a name that the log cannot hold', { command: 'naïve' }, 'INVALID'],
    ['a name that is too long', { command: 'x'.repeat(129) }, 'INVALID'],
    ['a channel without a session', { channel: 9 }, 'NOT_ATTACHED'],
  ])('%s is refused before append', (_name, overrides, code) => {
    const world = worldOf()
    const { connection, recorder } = attachedClient(world)
    const before = world.node.submitted.length
    connection.receiveRequest(command(1, 'echo', null, overrides))
    expect(recorder.take()).toMatchObject([
      ['responded', expect.anything(), expect.anything(), { kind: 'notExecuted', code }],
    ])
    expect(world.node.submitted.length).toBe(before)
  })

  test('a command that does not fit its schema is VALIDATION_ERROR with its issues', () => {
    const world = worldOf()
    const { connection, recorder } = attachedClient(world)
    connection.receiveRequest(command(1, 'echo', 13))
    expect(recorder.take()).toEqual([
      [
        'responded',
        1,
        1,
        {
          kind: 'notExecuted',
          code: 'VALIDATION_ERROR',
          details: { message: 'not 13', issues: [{ path: '', message: 'not 13' }] },
        },
      ],
    ])
  })

  test('a command above commandBytesMax is COMMAND_TOO_LARGE', () => {
    const world = worldOf({ limits: { commandBytesMax: 100 } })
    const { connection, recorder } = attachedClient(world)
    connection.receiveRequest(command(1, 'echo', 'x'.repeat(100)))
    expect(recorder.take()).toMatchObject([['responded', 1, 1, { code: 'COMMAND_TOO_LARGE', details: { max: 100 } }]])
    connection.receiveRequest(command(1, 'echo', 'x'.repeat(90)))
    world.node.run()
    expect(codes(recorder.take())).toEqual([['responded', 1, 'outcome']])
  })

  test('more commands in flight than the window are refused', () => {
    const world = worldOf({ limits: { windowRequests: 3 } })
    const { connection, recorder } = attachedClient(world)
    for (let id = 1; id <= 4; id += 1) connection.receiveRequest(command(id))
    expect(codes(recorder.take())).toEqual([['responded', 4, 'WINDOW_EXCEEDED']])
  })

  test('P-02 a node that does not lead refuses with the address of the leader, and appends nothing', () => {
    const world = worldOf()
    const { connection, recorder } = attachedClient(world)
    world.node.loseLead(nodeId('n2'))
    expect(recorder.take()).toEqual([['leaderChanged', 'n2', 'address-of-n2']])
    const before = world.node.submitted.length
    connection.receiveRequest(command(1))
    expect(recorder.take()).toEqual([
      [
        'responded',
        1,
        1,
        { kind: 'notExecuted', code: 'NOT_LEADER', details: { leader: 'n2', address: 'address-of-n2' } },
      ],
    ])
    expect(world.node.submitted.length).toBe(before)
  })

  test.each(['APPLY_BEHIND', 'OVERLOADED', 'NO_QUORUM', 'STORAGE_STALLED', 'TRANSFERRING', 'SHUTTING_DOWN'] as const)(
    '%s of the node is told as it is',
    (code) => {
      const world = worldOf()
      const { connection, recorder } = attachedClient(world)
      world.node.submit = (_kind, _payload, sink) => sink?.refused(code, null)
      connection.receiveRequest(command(1))
      expect(recorder.take()).toEqual([['responded', 1, 1, { kind: 'notExecuted', code, details: null }]])
    },
  )

  test('a command whose leader lost the lead is unknown, not failed', () => {
    const world = worldOf()
    const { connection, recorder } = attachedClient(world)
    connection.receiveRequest(command(1))
    world.node.loseLead(null)
    expect(recorder.take()).toEqual([
      ['responded', 1, 1, { kind: 'unknown', code: 'LEADER_LOST' }],
      ['leaderChanged', '', ''],
    ])
  })

  test('a node that leads no more still answers an applied duplicate', () => {
    const world = worldOf()
    const { connection, recorder } = attachedClient(world)
    connection.receiveRequest(command(1))
    world.node.run()
    world.node.loseLead(nodeId('n2'))
    recorder.take()
    connection.receiveRequest(command(1))
    expect(codes(recorder.take())).toEqual([['responded', 1, 'outcome']])
  })

  test('FENCED tells the connection that it was superseded', () => {
    const world = worldOf()
    const { connection, recorder, session, epoch } = attachedClient(world)
    connection.receiveRequest(command(1))
    // Another node took the session over in between: the log holds its attach before our command.
    const queued = world.node.queue.splice(0)
    world.node.append(
      'AttachSession',
      encodePayload('AttachSession', {
        ...session,
        secretHash: hashOf(world, session.index),
        replaces: epoch,
        nonce: new Uint8Array(16),
      }),
    )
    world.node.queue.push(...queued)
    world.node.run()
    expect(recorder.take()).toMatchObject([
      ['responded', 1, 1, { kind: 'refused', code: 'FENCED' }],
      ['superseded', 1],
    ])
    expect(world.node.attachedSessions.size).toBe(0)
  })
})

describe('queries', () => {
  const query = (overrides: object = {}) => ({
    kind: 'query' as const,
    channel: 0,
    correlationId: 5,
    consistency: 'stale' as const,
    incarnation: 0,
    minIndex: 0,
    machine: 't',
    query: 'calls',
    input: Buffer.from([0xc0]),
    ...overrides,
  })

  test('Q-001 Q-011 a stale query answers at once from applied state and appends nothing', () => {
    const world = worldOf()
    const { connection, recorder } = connect(world)
    const before = world.node.submitted.length
    connection.receiveQuery(query())
    expect(recorder.take()).toEqual([['queried', 5, { index: 2, incarnation: 1 }, { kind: 'value', value: 0 }]])
    expect(world.node.submitted.length).toBe(before)
  })

  test('Q-012 a sequential query waits for its index and then sees it', () => {
    const world = worldOf()
    const { connection, recorder } = attachedClient(world)
    connection.receiveQuery(query({ consistency: 'sequential', minIndex: 5, incarnation: 1 }))
    expect(recorder.take()).toEqual([])
    connection.receiveRequest(command(1))
    world.node.run()
    expect(recorder.take()[1]).toEqual(['queried', 5, { index: 5, incarnation: 1 }, { kind: 'value', value: 1 }])
    world.clock.advance(60_000)
    expect(recorder.take()).toEqual([])
  })

  test('a sequential query that waits in vain is BEHIND, and an index reached later answers nothing more', () => {
    const world = worldOf()
    const { connection, recorder } = attachedClient(world)
    connection.receiveQuery(query({ consistency: 'sequential', minIndex: 5 }))
    world.clock.advance(5_000)
    expect(recorder.take()).toMatchObject([
      ['queried', 5, {}, { kind: 'refused', code: 'BEHIND', details: { appliedIndex: 4, minIndex: 5 } }],
    ])
    connection.receiveRequest(command(1))
    world.node.run()
    expect(recorder.take().length).toBe(1)
  })

  test.each([
    ['an index of another incarnation', { consistency: 'sequential', incarnation: 9, minIndex: 1 }, 'CLUSTER_CHANGED'],
    ['a linearizable one of another incarnation', { consistency: 'linearizable', incarnation: 9 }, 'CLUSTER_CHANGED'],
    ['an unknown machine', { machine: 'nobody' }, 'UNKNOWN_MACHINE'],
    ['a channel without a session', { channel: 3 }, 'NOT_ATTACHED'],
  ])('%s is refused', (_name, overrides, code) => {
    const world = worldOf()
    const { connection, recorder } = connect(world)
    connection.receiveQuery(query(overrides))
    expect(recorder.take()).toMatchObject([['queried', 5, {}, { kind: 'refused', code }]])
  })

  test('a query at a node that has not applied the limits is BEHIND, not an error of the machine', () => {
    const world = worldOf()
    Object.defineProperty(world.node.machine, 'limits', { value: { responseBytesMax: 0 } })
    const { connection, recorder } = connect(world)
    connection.receiveQuery(query())
    expect(recorder.take()).toMatchObject([['queried', 5, {}, { kind: 'refused', code: 'BEHIND' }]])
  })

  test('a bug that a waiting query finds ends its connection, and neither the node nor the queries of others', () => {
    const parseQuery: ReturnType<typeof parserOf>['parseQuery'] = (machine, name, bytes, active) => {
      if (name === 'bug') throw new Error('a bug')
      return parserOf(() => 1).parseQuery(machine, name, bytes, active)
    }
    const world = worldOf({ gateway: { parseQuery } })
    world.node.holdsReads = true
    const [first, second] = [connect(world), connect(world)]
    first.connection.receiveQuery(query({ consistency: 'linearizable', query: 'bug' }))
    second.connection.receiveQuery(query({ consistency: 'linearizable' }))
    first.connection.receiveQuery(query({ consistency: 'sequential', minIndex: 3, query: 'bug' }))
    for (const read of world.node.reads) read.ready()
    expect(first.recorder.take()).toEqual([['failed', 'INTERNAL', 'a query could not be served: Error: a bug']])
    expect(second.recorder.take()).toMatchObject([['queried', 5, {}, { kind: 'value' }]])
    world.node.append('Tick')
    world.node.run()
    expect(first.recorder.take()).toEqual([['failed', 'INTERNAL', 'a query could not be served: Error: a bug']])
  })

  test('linearizable queries wait for one read, and those that come after it has begun for the next', () => {
    const world = worldOf()
    world.node.holdsReads = true
    const { connection, recorder } = connect(world)
    const ask = (correlationId: number): void =>
      connection.receiveQuery(query({ consistency: 'linearizable', correlationId }))
    const answered = (): unknown[] => recorder.take().map((heard) => heard[1])
    ask(1)
    ask(2)
    const [first] = world.node.reads
    first?.begun()
    ask(3)
    expect([world.node.reads.length, answered()]).toEqual([2, []])
    first?.ready()
    expect(answered()).toEqual([1, 2])
    world.node.reads[1]?.begun()
    world.node.reads[1]?.failed('READ_UNCONFIRMED')
    expect(recorder.take()).toMatchObject([['queried', 3, {}, { kind: 'refused', code: 'READ_UNCONFIRMED' }]])
  })

  test('of linearizable queries in limbo those run that it does not touch, and the others once, when it is over', () => {
    const world = worldOf()
    world.node.holdsReads = true
    const { connection, recorder } = connect(world)
    for (const correlationId of [1, 2]) connection.receiveQuery(query({ consistency: 'linearizable', correlationId }))
    connection.receiveQuery(
      query({ consistency: 'linearizable', correlationId: 3, machine: 'holdfast', query: 'outcome' }),
    )
    const [read] = world.node.reads
    const { machine } = world.node
    const limbo = machine.tryLimbo().rows()
    let asked = 0
    machine.queryInLimbo = (request) => {
      asked += 1
      return asked === 1 ? null : machine.query(request)
    }
    expect(read?.readyInLimbo(null)).toEqual({ answered: 0, waiting: 3 })
    expect(recorder.take()).toEqual([])
    expect(read?.readyInLimbo(limbo)).toEqual({ answered: 1, waiting: 2 })
    expect(recorder.take()).toMatchObject([['queried', 2, {}, { kind: 'value' }]])
    read?.ready()
    expect(recorder.take().map((heard) => heard[1])).toEqual([1, 3])
    expect(asked).toBe(2)
  })

  test('more linearizable queries than one read may stand for are spread over several', () => {
    const world = worldOf()
    world.node.holdsReads = true
    const { connection, recorder } = connect(world)
    for (let count = 0; count < 16_385; count += 1) connection.receiveQuery(query({ consistency: 'linearizable' }))
    expect(recorder.take()).toMatchObject([['queried', 5, {}, { code: 'OVERLOADED', details: { max: 16_384 } }]])
    expect(world.node.reads.length).toBe(64)
    for (const read of world.node.reads) read.ready()
    expect(recorder.take().length).toBe(16_384)
    connection.receiveQuery(query({ consistency: 'linearizable' }))
    connection.end()
    world.node.reads[64]?.ready()
    expect(recorder.take()).toEqual([])
  })

  test('a query that throws is the machine’s error, and the node lives', () => {
    const world = worldOf()
    const { connection, recorder } = connect(world)
    connection.receiveQuery(query({ query: 'throw' }))
    expect(recorder.take()).toMatchObject([['queried', 5, {}, { kind: 'reject', code: 'MACHINE_ERROR' }]])
  })

  test('too many waiting queries are OVERLOADED, and none answers a connection that is gone', () => {
    const world = worldOf()
    const { connection, recorder } = connect(world)
    for (let count = 0; count <= 1024; count += 1)
      connection.receiveQuery(query({ consistency: 'sequential', minIndex: 99 }))
    expect(recorder.take()).toMatchObject([['queried', 5, {}, { code: 'OVERLOADED' }]])
    connection.end()
    world.clock.advance(10_000)
    expect(recorder.take()).toEqual([])
  })
})

test('P-30 answers for a connection that is gone change nothing, and its commands go on', () => {
  const world = worldOf()
  const client = attachedClient(world)
  client.connection.receiveRequest(command(1))
  client.connection.end()
  expect(world.gateway.connectionCount).toBe(0)
  expect(world.node.attachedSessions.size).toBe(0)
  world.node.run()
  const again = attachAgain(world, connect(world), client.session, client.epoch, 2)
  again.connection.receiveRequest(command(1))
  expect(again.recorder.take()).toMatchObject([['responded', 1, 1, { replayed: true }]])
})

function hashOf(world: ReturnType<typeof worldOf>, index: number): Uint8Array {
  return Uint8Array.from(world.node.machine.sessionFacts(index)?.secretHash ?? [])
}
