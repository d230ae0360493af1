import { describe, expect, test } from 'vitest'
import { sessionCodec } from '../../../src/codec/session-codec.ts'
import { RIDING_BYTES_MAX } from '../../../src/protocol/limits.ts'
import { greetingOf, hubOn, NodeWorld, openOn, run, Script } from '../world.ts'

const nil = sessionCodec.encodeValue(null)

/** A scripted server that was lost once: the session is attached on no stream, and its epoch is 5. */
function cutOff(settings: Parameters<typeof openOn>[1] = {}) {
  const script = new Script()
  const { core, told } = openOn(hubOn(script.environment), settings)
  script.attach()
  script.take('open')
  const cut = (): void => {
    script.cut()
    script.clock.advance(50)
    script.heard.length = 0
  }
  /** Ids of the commands that came since, and the attach as 'attach'. */
  const heard = (): unknown[] => {
    script.clock.advance(0)
    const said = script.heard.map((message) => (message.kind === 'request' ? message.requestId : message.kind))
    script.heard.length = 0
    return said
  }
  const attached = (epoch: number, nextRequestId: number): void =>
    script.say({ kind: 'attached', channel: 1, epoch, nextRequestId, acknowledged: 0, timeoutMs: 30_000 })
  const refuseAttach = (code: string): void =>
    script.say({ kind: 'refused', channel: 1, subject: 'attach', code, details: nil })
  const refuse = (requestId: number, code: string): void =>
    script.say({ kind: 'response', channel: 1, requestId, answer: { kind: 'notExecuted', code, details: nil } })
  const ok = (requestId: number): void => {
    const answer = { kind: 'ok', index: 9, replayed: false, invalidAck: false, value: nil } as const
    script.say({ kind: 'response', channel: 1, requestId, answer })
  }
  const lose = (requestId: number): void =>
    script.say({ kind: 'response', channel: 1, requestId, answer: { kind: 'unknown', code: 'LEADER_LOST' } })
  return { script, core, told, cut, heard, attached, refuseAttach, refuse, lose, ok }
}

describe('commands without an answer', () => {
  test('P-32 ride behind the attach in id order, sent before or not, and are not sent again behind its answer', () => {
    const { script, core, cut, heard, attached, ok } = cutOff()
    const runs = [run(core, 'echo', 1), run(core, 'echo', 2)]
    script.clock.advance(0)
    cut()
    runs.push(run(core, 'echo', 3))
    script.greet()
    expect(heard()).toEqual(['attach', 1, 2, 3])
    run(core, 'echo', 4)
    expect(heard()).toEqual([])
    attached(6, 1)
    expect(heard()).toEqual([4])
    for (const id of [1, 2, 3]) ok(id)
    expect(runs.map(({ outcomes }) => outcomes[0]?.kind)).toEqual(['ok', 'ok', 'ok'])
  })

  test('wait for the answer to the first attach, and to that of a session that is taken up', () => {
    const fresh = new Script()
    const { core } = openOn(hubOn(fresh.environment))
    run(core, 'echo', 1)
    fresh.greet()
    fresh.say({ kind: 'opened', channel: 1, group: 0, incarnation: 1, index: 4, existing: false })
    expect(fresh.take('request')).toEqual([])
    const taken = new Script()
    const resume = { group: 0, incarnation: 1, index: 4, secret: '00'.repeat(32), epoch: 5 }
    run(openOn(hubOn(taken.environment), { resume }).core, 'echo', 1)
    taken.greet()
    expect(taken.take('request')).toEqual([])
  })

  test('wait for it on a stream where the session was attached: what is answered there may be an older copy', () => {
    const { script, core, heard, attached } = cutOff()
    run(core, 'echo', 1)
    heard()
    script.say({ kind: 'leaderChanged', leader: '', leaderAddress: '' })
    script.say({ kind: 'leaderChanged', leader: 'n1', leaderAddress: 'n1:1' })
    expect(heard()).toEqual(['attach'])
    attached(6, 1)
    expect(heard()).toEqual([1])
  })

  test('ride as far as the window, a gap in an ordered session and the bound of bytes allow', () => {
    const windowed = cutOff()
    windowed.core.window.windowRequests = 2
    windowed.cut()
    for (const input of [1, 2, 3]) run(windowed.core, 'echo', input)
    windowed.script.say({ ...greetingOf('n1', 'n1', 'n1:1'), windowRequests: 2 })
    expect(windowed.heard()).toEqual(['attach', 1, 2])

    const ordered = cutOff({ ordered: true })
    for (const input of [1, 2, 3]) run(ordered.core, 'echo', input)
    ordered.refuse(2, 'VALIDATION_ERROR')
    ordered.cut()
    ordered.script.greet()
    expect(ordered.heard()).toEqual(['attach', 1])

    const large = cutOff()
    large.cut()
    for (let count = 0; count < 5; count += 1) run(large.core, 'echo', 'x'.repeat(RIDING_BYTES_MAX / 3))
    large.script.greet()
    expect(large.heard()).toEqual(['attach', 1, 2])
    large.attached(6, 1)
    expect(large.heard()).toEqual([3, 4, 5])
  })

  test('are sent behind the answer where they rode on the stream before and on this one do not', () => {
    const { script, core, cut, heard, attached } = cutOff()
    cut()
    for (const input of [1, 2, 3]) run(core, 'echo', input)
    script.greet()
    expect(heard()).toEqual(['attach', 1, 2, 3])
    cut()
    script.say({ ...greetingOf('n1', 'n1', 'n1:1'), windowRequests: 2 })
    expect(heard()).toEqual(['attach', 1, 2])
    attached(6, 1)
    expect(heard()).toEqual([3])
  })

  test('are sent behind the answer where a node of an earlier build refuses what rides', () => {
    const { script, core, cut, heard, attached, refuse } = cutOff()
    const { outcomes } = run(core, 'echo', 1)
    heard()
    cut()
    script.greet()
    refuse(1, 'NOT_ATTACHED')
    heard()
    attached(6, 1)
    expect(heard()).toEqual([1])
    refuse(1, 'VALIDATION_ERROR')
    expect(outcomes).toMatchObject([{ kind: 'notExecuted', code: 'VALIDATION_ERROR' }])
  })

  test('are sent behind the answer to an attach that was refused for now', () => {
    const { script, core, cut, heard, attached, refuseAttach, refuse } = cutOff()
    run(core, 'echo', 1)
    heard()
    cut()
    script.greet()
    refuse(1, 'NOT_ATTACHED')
    refuseAttach('NO_QUORUM')
    heard()
    script.clock.advance(200)
    expect(heard()).toEqual(['attach', 1])
    attached(6, 1)
    expect(heard()).toEqual([])
  })
})

describe('the outcome of a command that rode', () => {
  test('is not told before its own answer: the new epoch does not fence it', () => {
    const { script, core, cut, heard, attached } = cutOff()
    cut()
    const { outcomes } = run(core, 'echo', 1, script.clock.monotonicMs() + 1000)
    script.greet()
    expect(heard()).toEqual(['attach', 1])
    attached(6, 1)
    script.clock.advance(1000)
    expect(outcomes).toEqual([{ kind: 'unknown', code: 'DEADLINE_EXCEEDED' }])
  })

  test('is definite by its own refusal: the new epoch fences what was sent under the old one', () => {
    const { script, core, cut, heard, attached, refuse } = cutOff()
    const { outcomes } = run(core, 'echo', 1)
    heard()
    cut()
    script.greet()
    attached(6, 1)
    refuse(1, 'VALIDATION_ERROR')
    expect(outcomes).toMatchObject([{ kind: 'notExecuted', code: 'VALIDATION_ERROR' }])
  })

  test('is not definite while a copy that rode behind an earlier copy of the attach may be executed', () => {
    const { script, core, cut, heard, attached, refuse } = cutOff()
    cut()
    const { outcomes } = run(core, 'echo', 1, script.clock.monotonicMs() + 5000)
    script.greet()
    const [first] = script.take('attach')
    cut()
    script.greet()
    expect(script.heard).toMatchObject([{ kind: 'attach', nonce: first?.nonce }, { requestId: 1 }])
    heard()
    // The epoch may be the first copy's, and so may what rode behind that.
    attached(6, 1)
    refuse(1, 'VALIDATION_ERROR')
    expect(outcomes).toEqual([])
    script.clock.advance(5000)
    expect(outcomes).toEqual([{ kind: 'unknown', code: 'DEADLINE_EXCEEDED' }])
  })

  test('is definite again once the next epoch has fenced what rode behind the last one', () => {
    const { script, core, cut, heard, attached, refuse } = cutOff()
    cut()
    const { outcomes } = run(core, 'echo', 1)
    script.greet()
    attached(6, 1)
    heard()
    cut()
    script.greet()
    expect(heard()).toEqual(['attach', 1])
    attached(8, 1)
    refuse(1, 'VALIDATION_ERROR')
    expect(outcomes).toMatchObject([{ kind: 'notExecuted', code: 'VALIDATION_ERROR' }])
  })

  test('is unknown with the session where its copy was lost with one leader and the next refuses the attach', () => {
    const { script, core, cut, heard, refuseAttach, lose } = cutOff()
    cut()
    const { outcomes } = run(core, 'echo', 1)
    script.greet()
    lose(1)
    refuseAttach('NOT_LEADER')
    heard()
    script.clock.advance(200)
    expect(heard()).toEqual(['attach', 1])
    refuseAttach('ATTACH_CONFLICT')
    expect(outcomes).toEqual([{ kind: 'unknown', code: 'SUPERSEDED' }])
  })

  test('is unknown with the session where an older copy was sent, or the one that rode is told as unknown', () => {
    const { script, core, cut, heard, refuseAttach, refuse, lose } = cutOff()
    const runs = [run(core, 'echo', 1)]
    heard()
    cut()
    runs.push(run(core, 'echo', 2))
    script.greet()
    refuse(1, 'NOT_ATTACHED')
    lose(2)
    refuseAttach('SESSION_EXPIRED')
    expect(runs.map(({ outcomes }) => outcomes)).toEqual(Array(2).fill([{ kind: 'unknown', code: 'SESSION_EXPIRED' }]))
  })

  test.each(['SESSION_EXPIRED', 'SESSION_UNKNOWN', 'CLUSTER_CHANGED', 'WRONG_GROUP', 'ATTACH_CONFLICT'])(
    'is notExecuted with the session where the attach is refused with %s, unless an older copy was sent',
    (code) => {
      const { script, core, told, cut, heard, refuseAttach } = cutOff()
      const older = run(core, 'echo', 1)
      heard()
      cut()
      const newer = run(core, 'echo', 2)
      script.greet()
      expect(heard()).toEqual(['attach', 1, 2])
      refuseAttach(code)
      const reason = code === 'ATTACH_CONFLICT' ? 'SUPERSEDED' : code
      expect(told.lost).toEqual([reason])
      expect(older.outcomes).toEqual([{ kind: 'unknown', code: reason }])
      expect(newer.outcomes).toMatchObject([{ kind: 'notExecuted', code: reason }])
    },
  )

  test('comes one commit after the leader is reached, and not two, against a real gateway', () => {
    const world = new NodeWorld({ delayMs: () => 100 })
    const { core } = openOn(hubOn(world.environment))
    world.clock.advance(1000)
    world.lastWire.cut()
    const { outcomes } = run(core, 'echo', 'x')
    world.clock.advance(150)
    expect(outcomes).toMatchObject([{ kind: 'ok', replayed: false }])
  })
})
