import { describe, expect, test } from 'vitest'
import { sessionCodec } from '../../../src/codec/session-codec.ts'
import type { ResponseAnswer } from '../../../src/protocol/down-message.ts'
import type { RawOutcome } from '../../../src/client/calls/raw-outcome.ts'
import { hubOn, NodeWorld, openOn, run, Script } from '../world.ts'

const value = (input: Parameters<typeof sessionCodec.encodeValue>[0]): Uint8Array => sessionCodec.encodeValue(input)
const nil = value(null)

/** A scripted server with one attached session. */
function attached(settings: Parameters<typeof openOn>[1] = {}) {
  const script = new Script()
  const { core, told } = openOn(hubOn(script.environment), settings)
  script.attach()
  script.take('open')
  const answer = (requestId: number, said: ResponseAnswer): void =>
    script.say({ kind: 'response', channel: 1, requestId, answer: said })
  const ok = (requestId: number): void =>
    answer(requestId, { kind: 'ok', index: 9, replayed: false, invalidAck: false, value: nil })
  const refuse = (requestId: number, code: string): void =>
    answer(requestId, { kind: 'notExecuted', code, details: nil })
  return { script, core, told, answer, ok, refuse }
}

describe('the lowest pending id', () => {
  test('LR-001 LR-002 LR-007 is on every request: the lowest without a response when it was sent', () => {
    const { script, core, ok } = attached()
    for (let count = 0; count < 4; count += 1) run(core, 'echo', count)
    expect(script.take('request').map((request) => [request.requestId, request.lowestPendingRequestId])).toEqual([
      [1, 1],
      [2, 1],
      [3, 1],
      [4, 1],
    ])
    ok(2)
    run(core, 'echo', 5)
    ok(1)
    run(core, 'echo', 6)
    expect(script.take('request').map((request) => [request.requestId, request.lowestPendingRequestId])).toEqual([
      [5, 1],
      [6, 3],
    ])
    ok(3)
    ok(4)
    ok(5)
    ok(6)
    run(core, 'echo', 7)
    expect(script.take('request').map((request) => [request.requestId, request.lowestPendingRequestId])).toEqual([
      [7, 7],
    ])
  })

  test('a command of unknown outcome holds it until it is resolved or abandoned', () => {
    const { script, core } = attached()
    const first = run(core, 'echo', 1, 100)
    script.clock.advance(100)
    expect(first.outcomes).toEqual([{ kind: 'unknown', code: 'DEADLINE_EXCEEDED' }])
    run(core, 'echo', 2)
    expect(script.take('request').at(-1)).toMatchObject({ requestId: 2, lowestPendingRequestId: 1 })
    expect(core.window.abandon(1)).toBe(true)
    run(core, 'echo', 3)
    expect(script.take('request').at(-1)).toMatchObject({ requestId: 3, lowestPendingRequestId: 2 })
    expect(core.window.abandon(1)).toBe(false)
  })

  test('a command of unknown outcome is sent again on attach, so that its answer frees the floor', () => {
    const { script, core, ok } = attached()
    const first = run(core, 'echo', 1, 100)
    script.clock.advance(100)
    expect(first.outcomes).toEqual([{ kind: 'unknown', code: 'DEADLINE_EXCEEDED' }])
    script.take('request')
    script.cut()
    script.clock.advance(20)
    script.attach(6, 1)
    expect(script.take('request').map(({ requestId }) => requestId)).toEqual([1])
    ok(1)
    run(core, 'echo', 2)
    expect(script.take('request').at(-1)).toMatchObject({ requestId: 2, lowestPendingRequestId: 2 })
    expect(first.outcomes.length).toBe(1)
  })

  test('abandoning a command that is waited for ends the wait', () => {
    const script = new Script()
    const { core } = openOn(hubOn(script.environment))
    const { id, outcomes } = run(core, 'echo', 1)
    core.window.abandon(id)
    expect(outcomes).toMatchObject([{ kind: 'notExecuted', code: 'ABANDONED' }])
  })

  test('P-31 what waits in the process is bounded', () => {
    const script = new Script()
    const { core } = openOn(hubOn(script.environment))
    for (let count = 0; count < 65_536; count += 1)
      core.enqueue({ machine: 't', command: 'echo', input: nil }, 0, () => {})
    expect(run(core, 'echo', 1)).toMatchObject({ id: 0, outcomes: [{ kind: 'notExecuted', code: 'BACKLOG_FULL' }] })
  })
})

describe('a session that is taken up again', () => {
  const resume = { group: 0, incarnation: 1, index: 4, secret: '00'.repeat(32), epoch: 5 }

  function resumed(nextRequestId: number, commands: number) {
    const script = new Script()
    const { core } = openOn(hubOn(script.environment), { resume })
    const runs = Array.from({ length: commands }, (_unused, at) => run(core, 'echo', at, 60_000))
    const attach = (): void => {
      script.greet()
      script.say({ kind: 'attached', channel: 1, epoch: 6, nextRequestId, acknowledged: 0, timeoutMs: 30_000 })
    }
    return { script, core, runs, attach }
  }

  test.each([2, 4, 5, 50])(
    'FR-003 commands given before it was attached get ids that were never used (from %i)',
    (next) => {
      const { script, core, runs, attach } = resumed(next, 4)
      attach()
      run(core, 'echo', 'later')
      const sent = script.take('request')
      expect(sent.map(({ requestId }) => requestId)).toEqual([0, 1, 2, 3, 4].map((at) => next + at))
      expect(sent.map(({ input }) => sessionCodec.decodeValue(input))).toEqual([0, 1, 2, 3, 'later'])
      expect(sent.every(({ lowestPendingRequestId }) => lowestPendingRequestId === next)).toBe(true)
      const said = { kind: 'ok' as const, index: 9, replayed: false, invalidAck: false, value: nil }
      script.say({ kind: 'response', channel: 1, requestId: next + 1, answer: said })
      expect(runs.map(({ outcomes }) => outcomes.length)).toEqual([0, 1, 0, 0])
    },
  )

  test('a command is aborted by the id that it was given first', () => {
    const { script, core, runs, attach } = resumed(3, 4)
    attach()
    script.take('request')
    core.window.abort(runs[2]?.id ?? 0, 'ABORTED')
    expect(runs.map(({ outcomes }) => outcomes)).toEqual([[], [], [{ kind: 'unknown', code: 'ABORTED' }], []])
    expect(core.window.abandon(5)).toBe(true)
  })

  test('commands that were sent keep their ids over a later attach', () => {
    const { script, attach } = resumed(50, 2)
    attach()
    script.take('request')
    script.cut()
    script.clock.advance(20)
    script.greet()
    script.say({ kind: 'attached', channel: 1, epoch: 7, nextRequestId: 51, acknowledged: 0, timeoutMs: 30_000 })
    expect(script.take('request').map(({ requestId }) => requestId)).toEqual([50, 51])
  })
})

describe('outcomes', () => {
  test('ok and rejected are what the server executed, and a late or repeated answer changes nothing', () => {
    const { core, answer } = attached()
    const first = run(core, 'echo', 1)
    const second = run(core, 'echo', 2)
    answer(1, { kind: 'ok', index: 9, replayed: true, invalidAck: false, value: value('x') })
    answer(2, { kind: 'rejected', index: 10, replayed: false, invalidAck: false, code: 'NO', details: nil })
    answer(1, { kind: 'notExecuted', code: 'VALIDATION_ERROR', details: nil })
    answer(99, { kind: 'unknown', code: 'LEADER_LOST' })
    expect(first.outcomes).toMatchObject([{ kind: 'ok', index: 9, replayed: true, value: Buffer.from(value('x')) }])
    expect(second.outcomes).toMatchObject([{ kind: 'rejected', index: 10, code: 'NO' }])
  })

  test.each([
    'VALIDATION_ERROR',
    'UNKNOWN_MACHINE',
    'UNKNOWN_COMMAND',
    'COMMAND_TOO_LARGE',
    'INVALID',
    'REQUEST_CONFLICT',
  ])('%s of the only copy is notExecuted, and the id is free', (code) => {
    const { script, core, refuse } = attached()
    const { outcomes } = run(core, 'echo', 1)
    refuse(1, code)
    expect(outcomes).toMatchObject([{ kind: 'notExecuted', code }])
    run(core, 'echo', 2)
    expect(script.take('request').at(-1)).toMatchObject({ lowestPendingRequestId: 2 })
  })

  test('a definite refusal while another copy is out is not definite: the same id is tried until it is', () => {
    const { script, core, refuse } = attached()
    const { outcomes } = run(core, 'echo', 1, 60_000)
    script.take('request')
    script.cut()
    script.clock.advance(20)
    // The old epoch is still in force at the new connection: the first copy may yet be applied.
    script.attach(5, 2)
    expect(script.take('request').map(({ requestId }) => requestId)).toEqual([1])
    refuse(1, 'VALIDATION_ERROR')
    expect(outcomes).toEqual([])
    script.clock.advance(60_000)
    expect(outcomes).toEqual([{ kind: 'unknown', code: 'DEADLINE_EXCEEDED' }])
  })

  test('a new attach epoch fences old copies: an id it has not seen is definite again', () => {
    const { script, core, refuse } = attached()
    const { outcomes } = run(core, 'echo', 1, 60_000)
    script.cut()
    script.clock.advance(20)
    script.attach(6, 1)
    refuse(1, 'VALIDATION_ERROR')
    expect(outcomes).toMatchObject([{ kind: 'notExecuted', code: 'VALIDATION_ERROR' }])
  })

  test('a new attach epoch proves nothing about an id that may have been executed under the old one', () => {
    const { script, core, refuse } = attached()
    const { outcomes } = run(core, 'echo', 1, 60_000)
    script.cut()
    script.clock.advance(20)
    script.attach(6, 2)
    refuse(1, 'VALIDATION_ERROR')
    expect(outcomes).toEqual([])
  })

  test('LR-010 RESPONSE_EVICTED fails that call as unknown, and the process and the session live', () => {
    const { core, answer, ok } = attached()
    const first = run(core, 'echo', 1)
    const second = run(core, 'echo', 2)
    answer(1, { kind: 'refused', index: 9, code: 'RESPONSE_EVICTED', details: nil })
    ok(2)
    expect(first.outcomes).toEqual([{ kind: 'unknown', code: 'RESPONSE_EVICTED' }])
    expect(second.outcomes.length).toBe(1)
    expect(core.over).toBe(false)
  })

  test('P-31 a command waits while there is no leader, and its deadline makes it notExecuted: it was never sent', () => {
    const script = new Script()
    const { core } = openOn(hubOn(script.environment))
    const { outcomes } = run(core, 'echo', 1, 500)
    script.clock.advance(499)
    expect(outcomes).toEqual([])
    script.clock.advance(1)
    expect(outcomes).toMatchObject([{ kind: 'notExecuted', code: 'NO_LEADER' }])
  })

  test('P-06 each command has its own deadline', () => {
    const { script, core } = attached()
    const late = run(core, 'echo', 1, 900)
    const soon = run(core, 'echo', 2, 300)
    script.clock.advance(300)
    expect([soon.outcomes.length, late.outcomes.length]).toEqual([1, 0])
    script.clock.advance(600)
    expect(late.outcomes).toEqual([{ kind: 'unknown', code: 'DEADLINE_EXCEEDED' }])
  })

  test('every copy refused for now is notExecuted at the deadline', () => {
    const { script, core } = attached()
    const { outcomes } = run(core, 'echo', 1, 1000)
    const reply = (): void => {
      for (const request of script.take('request'))
        script.say({
          kind: 'response',
          channel: 1,
          requestId: request.requestId,
          answer: { kind: 'notExecuted', code: 'OVERLOADED', details: nil },
        })
    }
    for (let step = 0; step < 200; step += 1) {
      reply()
      script.clock.advance(5)
    }
    expect(outcomes).toMatchObject([{ kind: 'notExecuted', code: 'DEADLINE_EXCEEDED' }])
  })

  test('aborting is notExecuted before a copy was sent and unknown afterwards; resolve learns the late answer', () => {
    const { core, ok } = attached()
    const { id, outcomes } = run(core, 'echo', 1)
    core.window.abort(id, 'ABORTED')
    expect(outcomes).toEqual([{ kind: 'unknown', code: 'ABORTED' }])
    ok(id)
    const later: unknown[] = []
    expect(core.window.resolve(id, 0, (outcome) => later.push(outcome))).toBe(true)
    expect(later).toMatchObject([{ kind: 'ok' }])
    expect(core.window.resolve(id, 0, () => {})).toBe(false)
  })

  test('an outcome that waits for resolve has bytes of its own: it keeps no frame alive', () => {
    const { core, answer } = attached()
    const { id } = run(core, 'echo', 1)
    core.window.abort(id, 'ABORTED')
    answer(id, { kind: 'ok', index: 9, replayed: false, invalidAck: false, value: value('x'.repeat(100)) })
    const later: RawOutcome[] = []
    core.window.resolve(id, 0, (outcome) => later.push(outcome))
    const kept = later[0]?.kind === 'ok' ? later[0].value : new Uint8Array(0)
    expect(Buffer.from(kept).equals(value('x'.repeat(100)))).toBe(true)
    expect(kept.buffer.byteLength).toBe(kept.length)
  })

  test('resolve sends the same id again and waits', () => {
    const { script, core, ok } = attached()
    const { id } = run(core, 'echo', 1, 100)
    script.clock.advance(100)
    script.take('request')
    const later: unknown[] = []
    core.window.resolve(id, 0, (outcome) => later.push(outcome))
    expect(script.take('request')).toMatchObject([{ requestId: id }])
    ok(id)
    expect(later).toMatchObject([{ kind: 'ok' }])
  })

  test.each(['LEADER_LOST'])('P-27 %s is tried again with the same id', (code) => {
    const { script, core, answer, ok } = attached()
    const { outcomes } = run(core, 'echo', 1)
    script.take('request')
    answer(1, { kind: 'unknown', code })
    script.clock.advance(10)
    expect(script.take('request')).toMatchObject([{ requestId: 1 }])
    ok(1)
    expect(outcomes).toMatchObject([{ kind: 'ok' }])
  })

  test('OUT_OF_ORDER sends the earlier ids again, also those of unknown outcome, before this one', () => {
    const { script, core, answer } = attached({ ordered: true })
    run(core, 'echo', 1, 50)
    run(core, 'echo', 2)
    script.clock.advance(50)
    script.take('request')
    answer(2, { kind: 'refused', index: 9, code: 'OUT_OF_ORDER', details: nil })
    script.clock.advance(10)
    expect(script.take('request').map(({ requestId }) => requestId)).toEqual([1, 2])
  })

  test('the window bounds what is in flight, and what is answered makes room', () => {
    const { script, core, ok } = attached()
    core.window.windowRequests = 10
    const runs = Array.from({ length: 25 }, (_unused, at) => run(core, 'echo', at))
    expect(script.take('request').length).toBe(10)
    ok(2)
    expect(script.take('request').length).toBe(0)
    ok(1)
    expect(script.take('request').map(({ requestId }) => requestId)).toEqual([11, 12])
    for (let id = 3; id <= 25; id += 1) {
      ok(id)
      script.take('request')
    }
    expect(runs.every(({ outcomes }) => outcomes.length === 1)).toBe(true)
  })

  test('a refusal that names a narrower window narrows it, and what was refused is sent again', () => {
    const { script, core, answer, ok } = attached()
    core.window.windowRequests = 4
    const runs = Array.from({ length: 7 }, (_unused, at) => run(core, 'echo', at))
    expect(script.take('request')).toHaveLength(4)
    for (const id of [3, 4]) answer(id, { kind: 'notExecuted', code: 'WINDOW_EXCEEDED', details: value({ window: 2 }) })
    expect(core.window.windowRequests).toBe(2)
    ok(1)
    ok(2)
    script.clock.advance(1_000)
    expect(script.take('request').map(({ requestId }) => requestId)).toEqual([3, 4])
    for (const id of [3, 4]) ok(id)
    expect(script.take('request').map(({ requestId }) => requestId)).toEqual([5, 6])
    for (const id of [5, 6, 7]) ok(id)
    expect(runs.every(({ outcomes }) => outcomes.length === 1)).toBe(true)
  })
})

describe('against a real gateway', () => {
  test('FR-008 P-09 a lost reply is asked for again and comes from the cache: executed once', () => {
    const world = new NodeWorld()
    const { core } = openOn(hubOn(world.environment))
    world.clock.advance(0)
    const { outcomes } = run(core, 'echo', 'x')
    world.lastWire.loseDown = true
    world.clock.advance(5)
    expect(world.node.user.calls).toEqual(['echo'])
    world.lastWire.cut()
    world.clock.advance(50)
    expect(outcomes).toMatchObject([{ kind: 'ok', replayed: true }])
    expect(world.node.user.calls).toEqual(['echo'])
  })

  test('P-32 P-33 what is pending survives the connection and is sent again in id order', () => {
    const world = new NodeWorld()
    const { core } = openOn(hubOn(world.environment), { ordered: true })
    world.clock.advance(0)
    world.lastWire.loseUp = true
    const runs = Array.from({ length: 50 }, (_unused, at) => run(core, 'echo', at + 100))
    world.clock.advance(5)
    expect(world.node.user.calls.length).toBe(0)
    world.lastWire.cut()
    world.clock.advance(200)
    expect(runs.map(({ outcomes }) => outcomes[0]?.kind)).toEqual(Array(50).fill('ok'))
    expect(world.node.user.calls.length).toBe(50)
  })

  test('P-08 many sessions share one stream, and commands of one turn one frame', () => {
    const world = new NodeWorld()
    const hub = hubOn(world.environment)
    const cores = Array.from({ length: 200 }, () => openOn(hub).core)
    world.clock.advance(0)
    const runs = cores.map((core, at) => run(core, 'echo', at + 100))
    world.clock.advance(0)
    expect(runs.every(({ outcomes }) => outcomes[0]?.kind === 'ok')).toBe(true)
    expect(world.wires.length).toBe(1)
    expect(hub.sessionCount).toBe(200)
  })
})
