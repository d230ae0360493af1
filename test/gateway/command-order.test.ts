import { describe, expect, test } from 'vitest'
import { encodePayload } from '../../src/codec/entry/payload-codec.ts'
import { attachedClient, command, type Heard, worldOf } from './recorder.ts'

const answers = (heard: readonly Heard[]): unknown[] =>
  heard.map(([, , requestId, answer]) => {
    const { code, kind } = answer as { code?: string; kind: string }
    return [requestId, kind, code ?? '']
  })

const requests = (world: ReturnType<typeof worldOf>): number =>
  world.node.submitted.filter((kind) => kind === 'ClientRequest').length

describe('an ordered session at the gateway', () => {
  const from1 = { lowestPendingRequestId: 1 }

  test('a command behind one that was refused makes no entry, until the floor has passed that one', () => {
    const world = worldOf()
    const { connection, recorder } = attachedClient(world, { ordered: true })
    connection.receiveRequest(command(1, 'echo', 'a', from1))
    connection.receiveRequest(command(2, 'echo', 13, from1))
    for (let copies = 0; copies < 3; copies += 1) connection.receiveRequest(command(3, 'echo', 'c', from1))
    world.node.run()
    expect(answers(recorder.take())).toEqual([
      [2, 'notExecuted', 'VALIDATION_ERROR'],
      [3, 'notExecuted', 'OUT_OF_ORDER'],
      [3, 'notExecuted', 'OUT_OF_ORDER'],
      [3, 'notExecuted', 'OUT_OF_ORDER'],
      [1, 'outcome', ''],
    ])
    connection.receiveRequest(command(3, 'echo', 'c', { lowestPendingRequestId: 3 }))
    world.node.run()
    expect(answers(recorder.take())).toEqual([[3, 'outcome', '']])
    expect(requests(world)).toBe(2)
  })

  test('what stands behind commands in flight is proposed at once', () => {
    const world = worldOf()
    const { connection } = attachedClient(world, { ordered: true })
    for (let id = 1; id <= 50; id += 1) connection.receiveRequest(command(id, 'echo', 'x', from1))
    expect(requests(world)).toBe(50)
    world.node.run()
    expect(world.node.user.calls.length).toBe(50)
  })

  test('what stands behind a command that the log refused waits until that one has come again', () => {
    // Two responses may be cached: the third command is refused, and nothing of it is executed.
    const world = worldOf({ limits: { cachedResponsesMax: 2 } })
    const { connection, recorder } = attachedClient(world, { ordered: true })
    for (let id = 1; id <= 3; id += 1) connection.receiveRequest(command(id, 'echo', 'x', from1))
    world.node.run()
    connection.receiveRequest(command(4, 'echo', 'x', from1))
    expect(answers(recorder.take()).slice(2)).toEqual([
      [3, 'refused', 'RESPONSE_BACKLOG'],
      [4, 'notExecuted', 'OUT_OF_ORDER'],
    ])
    const taken = { lowestPendingRequestId: 3 }
    connection.receiveRequest(command(3, 'echo', 'x', taken))
    connection.receiveRequest(command(4, 'echo', 'x', taken))
    world.node.run()
    expect(answers(recorder.take())).toEqual([
      [3, 'outcome', ''],
      [4, 'outcome', ''],
    ])
    expect(requests(world)).toBe(5)
  })

  test('of commands that are parsed again, those behind one that fits no more are not proposed', () => {
    const world = worldOf()
    const { connection, recorder } = attachedClient(world, { ordered: true })
    // The first command fits version 1 and not version 2.
    let parses = 0
    const { parse } = world.gateway.options
    Object.assign(world.gateway, {
      parse: (machine: string, name: string, bytes: Uint8Array) => {
        parses += 1
        return parses === 3
          ? { ok: false, code: 'VALIDATION_ERROR', message: '', details: { issues: [] } }
          : parse(machine, name, bytes)
      },
    })
    world.node.append(
      'AdvanceVersion',
      encodePayload('AdvanceVersion', { machines: [{ machine: 't', to: 2, schema: '' }] }),
    )
    connection.receiveRequest(command(1, 'echo', 'a', from1))
    connection.receiveRequest(command(2, 'echo', 'b', from1))
    world.version = 2
    world.node.run()
    expect(answers(recorder.take())).toEqual([
      [1, 'notExecuted', 'VALIDATION_ERROR'],
      [2, 'notExecuted', 'OUT_OF_ORDER'],
    ])
    expect(world.node.user.calls).toEqual([])
  })

  test('a leader that has applied nothing of its term leaves the order to the log', () => {
    const world = worldOf()
    const { connection, recorder } = attachedClient(world, { ordered: true })
    world.node.leading = false
    connection.receiveRequest(command(2, 'echo', 'x', from1))
    world.node.run()
    expect(answers(recorder.take())).toEqual([[2, 'refused', 'OUT_OF_ORDER']])
  })
})

test('a command of a session without an order asks for no facts of it, executed or refused', () => {
  const world = worldOf({ limits: { cachedResponsesMax: 2 } })
  const { connection, recorder } = attachedClient(world)
  const { machine } = world.node
  const { sessionFacts } = machine
  let asked = 0
  Object.assign(machine, {
    sessionFacts: (index: number) => {
      asked += 1
      return sessionFacts.call(machine, index)
    },
  })
  for (let id = 1; id <= 3; id += 1) connection.receiveRequest(command(id, 'echo', id, { lowestPendingRequestId: 1 }))
  world.node.run()
  expect(answers(recorder.take()).at(-1)).toEqual([3, 'refused', 'RESPONSE_BACKLOG'])
  expect(asked).toBe(0)
})

test('commands that wait behind others which are parsed again are as many as the window, not more', () => {
  const world = worldOf({ limits: { windowRequests: 4 } })
  const { connection, recorder } = attachedClient(world)
  world.node.append(
    'AdvanceVersion',
    encodePayload('AdvanceVersion', { machines: [{ machine: 't', to: 2, schema: '' }] }),
  )
  connection.receiveRequest(command(1, 'echo', 1, { lowestPendingRequestId: 1 }))
  world.version = 2
  for (let id = 2; id <= 9; id += 1) connection.receiveRequest(command(id, 'echo', id, { lowestPendingRequestId: 1 }))
  connection.receiveClose(1)
  const heard = recorder.take()
  expect(answers(heard.slice(0, 5))).toEqual([5, 6, 7, 8, 9].map((id) => [id, 'notExecuted', 'WINDOW_EXCEEDED']))
  expect(heard.slice(5)).toMatchObject([['refused', 1, 'close', { code: 'OVERLOADED' }]])
  world.node.run()
  expect(world.node.user.calls.length).toBe(4)
})
