import { describe, expect, test } from 'vitest'
import { encodePayload } from '../../src/codec/entry/payload-codec.ts'
import type { CommandParser } from '../../src/gateway/gateway-options.ts'
import { attachOf } from './riding.ts'
import { attachedClient, command, connect, type Heard, SECRET, type World, worldOf } from './recorder.ts'

const codes = (heard: readonly Heard[]): unknown[] =>
  heard.map(([name, , requestId, answer]) => [
    name,
    requestId,
    (answer as { code?: string; kind: string }).code ?? (answer as { kind: string }).kind,
  ])

/** The log switches machine `t` to a version. */
function advance(world: World, to: number): void {
  world.node.append('AdvanceVersion', encodePayload('AdvanceVersion', { machines: [{ machine: 't', to, schema: '' }] }))
}

describe('a change of a machine’s version', () => {
  test('commands refused with VERSION_CHANGED are parsed again and executed in id order, before newer ones', () => {
    const world = worldOf()
    const { connection, recorder } = attachedClient(world, { ordered: true })
    advance(world, 2)
    const lowest = { lowestPendingRequestId: 1 }
    connection.receiveRequest(command(1, 'echo', 1, lowest))
    connection.receiveRequest(command(2, 'echo', 2, lowest))
    world.version = 2
    connection.receiveRequest(command(3, 'echo', 3, lowest))
    connection.receiveClose(1)
    world.node.run()
    expect(codes(recorder.take().slice(0, 3))).toEqual([
      ['responded', 1, 'outcome'],
      ['responded', 2, 'outcome'],
      ['responded', 3, 'outcome'],
    ])
    expect(world.node.user.calls.length).toBe(3)
  })

  test('a command is parsed by the version that is active in the applied state, also again', () => {
    const asked: (number | undefined)[] = []
    const parse: CommandParser = (_machine, _command, bytes, active) => {
      asked.push(active)
      return { ok: true, input: Uint8Array.from(bytes), version: active ?? 9 }
    }
    const world = worldOf({ gateway: { parse } })
    const { connection, recorder } = attachedClient(world)
    for (const to of [2, 3, 4, 5, 6]) {
      advance(world, to)
      connection.receiveRequest(command(to))
      world.node.run()
    }
    // However often the version changes under way, nobody hears of it.
    expect(codes(recorder.take())).toEqual([2, 3, 4, 5, 6].map((id) => ['responded', id, 'outcome']))
    expect(asked).toEqual([1, 2, 2, 3, 3, 4, 4, 5, 5, 6])
  })

  test('a repeat that another default parses otherwise is the same command: its bytes are', () => {
    let defaults = 0
    const parse: CommandParser = () => {
      defaults += 1
      return { ok: true, input: Uint8Array.of(defaults), version: 1 }
    }
    const world = worldOf({ gateway: { parse } })
    const { connection, recorder } = attachedClient(world)
    connection.receiveRequest(command(1))
    world.node.run()
    expect(recorder.take()).toMatchObject([['responded', 1, 1, { kind: 'outcome', replayed: false }]])
    defaults = 50
    connection.receiveRequest(command(1))
    world.node.run()
    expect(recorder.take()).toMatchObject([['responded', 1, 1, { kind: 'outcome', replayed: true }]])
    expect(world.node.submitted.filter((kind) => kind === 'ClientRequest')).toHaveLength(1)
  })

  test('a leader that has not applied what it took over proposes by its newest version what the old one does not know', () => {
    const unknown = { ok: false, code: 'UNKNOWN_COMMAND', message: '', details: { issues: [] } } as const
    const parse: CommandParser = (_machine, _command, bytes, active) =>
      active === 1 ? unknown : { ok: true, input: Uint8Array.from(bytes), version: 2 }
    const world = worldOf({ gateway: { parse } })
    const { connection, recorder } = attachedClient(world)
    world.node.leading = false
    advance(world, 2)
    connection.receiveRequest(command(1))
    world.node.run()
    expect(codes(recorder.take())).toEqual([['responded', 1, 'outcome']])
  })

  test('a command that is parsed again behind its session’s next attach is fenced by that, which its client is told', () => {
    const world = worldOf()
    const { connection, recorder, session, epoch } = attachedClient(world)
    advance(world, 2)
    connection.receiveRequest(command(1))
    connection.receiveAttach(attachOf(session, epoch))
    world.version = 2
    world.node.run()
    const heard = recorder.take()
    const [attached, fenced] = heard as [[string, number, { epoch: number }], Heard]
    const details = { current: attached[2].epoch }
    expect([attached[0], fenced]).toMatchObject([
      'attached',
      ['responded', 1, 1, { kind: 'refused', code: 'FENCED', details }],
    ])
  })

  test('a parser that never reaches the active version ends in VERSION_CHANGED, not in a loop', () => {
    const world = worldOf()
    const { connection, recorder } = attachedClient(world)
    world.version = 7
    connection.receiveRequest(command(1))
    world.node.run()
    expect(recorder.take()).toMatchObject([['responded', 1, 1, { kind: 'refused', code: 'VERSION_CHANGED' }]])
  })

  test('a command that another connection took over is answered there when it no longer parses, and its id is free', () => {
    const world = worldOf({ gateway: { parse: parseOnce() } })
    const first = attachedClient(world)
    advance(world, 2)
    first.connection.receiveRequest(command(1))
    const second = connect(world)
    // The same nonce, hence the same epoch: a copy of the attach over another connection.
    const attach = {
      kind: 'attach' as const,
      ...first.session,
      channel: 1,
      secret: SECRET,
      replaces: 0,
      nonce: Buffer.alloc(16, 1),
    }
    second.connection.receiveAttach(attach)
    world.node.run()
    const heard = second.recorder.take()
    expect(heard[0]).toMatchObject(['attached', 1, { epoch: first.epoch }])
    expect(codes(heard.slice(1))).toEqual([['responded', 1, 'VALIDATION_ERROR']])
    second.connection.receiveRequest(command(1))
    world.node.run()
    expect(codes(second.recorder.take())).toEqual([['responded', 1, 'VALIDATION_ERROR']])
  })

  test('a command that no longer parses is VALIDATION_ERROR', () => {
    const world = worldOf({ gateway: { parse: parseOnce() } })
    const { connection, recorder } = attachedClient(world)
    advance(world, 2)
    connection.receiveRequest(command(1))
    world.node.run()
    expect(codes(recorder.take())).toEqual([['responded', 1, 'VALIDATION_ERROR']])
  })
})

function parseOnce() {
  let calls = 0
  return () => {
    calls += 1
    if (calls === 1) return { ok: true, input: Uint8Array.of(0xc0), version: 1 } as const
    return { ok: false, code: 'VALIDATION_ERROR', message: 'no longer', details: { issues: [] } } as const
  }
}
