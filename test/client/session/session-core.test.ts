import { describe, expect, test } from 'vitest'
import { encodePayload } from '../../../src/codec/entry/payload-codec.ts'
import { sessionCodec } from '../../../src/codec/session-codec.ts'
import { hubOn, NodeWorld, openOn, run, Script, SETTINGS } from '../world.ts'

const nil = sessionCodec.encodeValue(null)
const ignore = (): void => {}
const NOBODY = {
  onReady: ignore,
  onRefused: ignore,
  onSuspended: ignore,
  onResumed: ignore,
  onLost: ignore,
  onHandlerError: ignore,
  onServerRequest: ignore,
}

describe('a session', () => {
  test('P-14 P-28 opens with its capabilities, attaches, and repeats the same open and nonce until they are answered', () => {
    const script = new Script()
    const { told } = openOn(hubOn(script.environment), { capabilities: { video: true } })
    script.greet()
    const [first] = script.take('open')
    expect(first).toMatchObject({ principal: 'user:1', timeoutMs: 30_000, validUntil: 121_000 })
    expect(sessionCodec.decodeValue(first?.capabilities ?? nil)).toEqual({ video: true })
    script.cut()
    script.clock.advance(20)
    script.greet()
    expect(script.take('open')).toEqual([first])
    script.say({ kind: 'opened', channel: 1, group: 0, incarnation: 1, index: 4, existing: true })
    const [attach] = script.take('attach')
    script.cut()
    script.clock.advance(20)
    script.greet()
    expect(script.take('attach')).toEqual([attach])
    script.say({ kind: 'attached', channel: 1, epoch: 7, nextRequestId: 1, acknowledged: 0, timeoutMs: 30_000 })
    expect(told.ready).toBe(1)
    script.cut()
    // The third failure in a row: nobody has led for long.
    script.clock.advance(40)
    script.greet()
    const [again] = script.take('attach')
    expect(again).toMatchObject({ replaces: 7 })
    expect(again?.nonce).not.toEqual(attach?.nonce)
  })

  test('a refused open is told, and one that may succeed later is tried again', () => {
    const script = new Script()
    const { told } = openOn(hubOn(script.environment))
    script.greet()
    script.say({ kind: 'refused', channel: 1, subject: 'open', code: 'NO_QUORUM', details: nil })
    script.take('open')
    script.clock.advance(200)
    expect(script.take('open').length).toBe(1)
    script.say({ kind: 'refused', channel: 1, subject: 'open', code: 'OPEN_REJECTED', details: nil })
    expect(told.refused).toEqual(['OPEN_REJECTED'])
  })

  test("the refusal of an earlier copy of an open does not end the one that took the log's time", () => {
    const script = new Script()
    const { told } = openOn(hubOn(script.environment))
    script.greet()
    const [first] = script.take('open')
    const tooLate = sessionCodec.encodeValue({ validUntil: first?.validUntil ?? 0, now: 900_000 })
    // Two copies were under way, over a connection that was cut between them: both are answered.
    script.say({ kind: 'refused', channel: 1, subject: 'open', code: 'OPEN_TOO_LATE', details: tooLate })
    script.clock.advance(1_000)
    expect(script.take('open').at(-1)).toMatchObject({ validUntil: 1_020_000, secret: first?.secret })
    script.say({ kind: 'refused', channel: 1, subject: 'open', code: 'OPEN_TOO_LATE', details: tooLate })
    expect(told.refused).toEqual([])
    script.clock.advance(1_000)
    expect(script.take('open').at(-1)).toMatchObject({ validUntil: 1_020_000 })
  })

  test('an open follows a log whose time moves on a few times, and is then given up', () => {
    const script = new Script()
    const { told } = openOn(hubOn(script.environment))
    script.greet()
    let [open] = script.take('open')
    for (let refusal = 1; refusal <= 5; refusal += 1) {
      expect(told.refused).toEqual([])
      const details = sessionCodec.encodeValue({ validUntil: open?.validUntil ?? 0, now: refusal * 1_000_000 })
      script.say({ kind: 'refused', channel: 1, subject: 'open', code: 'OPEN_TOO_LATE', details })
      script.clock.advance(1_000)
      open = script.take('open').at(-1) ?? open
    }
    expect(told.refused).toEqual(['OPEN_TOO_LATE'])
    expect(open).toMatchObject({ validUntil: 4_120_000 })
  })

  test('P-20 pings before a third of the timeout, and any answered command renews instead', () => {
    const world = new NodeWorld()
    const { core, told } = openOn(hubOn(world.environment), { timeoutMs: 12_000 })
    world.clock.advance(60_000)
    expect(told.suspended).toBe(0)
    const pings = world.node.machine.appliedIndex
    for (let second = 0; second < 60; second += 1) {
      run(core, 'echo', second + 100)
      world.clock.advance(1_000)
    }
    expect(world.node.machine.appliedIndex).toBe(pings + 60)
  })

  test('P-20 a pong confirms the oldest ping that is unanswered, not one that went out later', () => {
    const script = new Script()
    const { told } = openOn(hubOn(script.environment), { timeoutMs: 30_000 })
    script.attach()
    // Pings at about 7.5 s, 15 s, 22.5 s; the first is answered at 29 s and speaks for 7.5 s only.
    script.clock.advance(29_000)
    expect(script.take('ping').length).toBeGreaterThan(1)
    script.say({ kind: 'pong', channel: 1 })
    script.clock.advance(15_000)
    expect(told.suspended).toBe(1)
    script.say({ kind: 'pong', channel: 1 })
    expect(told.resumed).toBe(1)
  })

  test('P-20 a refused ping confirms nothing, whichever of those without an answer it was', () => {
    const script = new Script()
    const { told } = openOn(hubOn(script.environment), { timeoutMs: 30_000 })
    script.attach()
    // Pings at about 7.5 s and 15 s; the second is refused at once, the first answered: nothing is known to be later than it.
    script.clock.advance(16_000)
    expect(script.take('ping').length).toBe(2)
    script.say({
      kind: 'refused',
      channel: 1,
      subject: 'ping',
      code: 'OVERLOADED',
      details: sessionCodec.encodeValue(null),
    })
    script.say({ kind: 'pong', channel: 1 })
    script.clock.advance(28_000)
    expect(told.suspended).toBe(1)
  })

  test('P-22 an answer that is older than the timeout resumes nothing: the session may have expired since', () => {
    const script = new Script()
    const { core, told } = openOn(hubOn(script.environment), { timeoutMs: 30_000 })
    script.attach()
    expect(core.state).toBe('attached')
    // The first ping goes out at about 7.5 s, the last before the leader is heard again at about 37.5 s.
    script.clock.advance(45_000)
    expect([told.suspended, core.state]).toEqual([1, 'suspended'])
    script.say({ kind: 'pong', channel: 1 })
    expect([told.suspended, told.resumed, core.state]).toEqual([1, 0, 'suspended'])
    for (let more = script.take('ping').length; more > 1; more -= 1) script.say({ kind: 'pong', channel: 1 })
    expect([told.suspended, told.resumed, core.state]).toEqual([1, 1, 'attached'])
    script.clock.advance(1_000)
    expect([told.suspended, told.resumed]).toEqual([1, 1])
  })

  test('P-22 is suspended after its timeout without an answer, goes on trying, and only the server ends it', () => {
    const world = new NodeWorld()
    const { told } = openOn(hubOn(world.environment), { timeoutMs: 10_000 })
    world.clock.advance(0)
    world.up = false
    world.lastWire.cut()
    world.clock.advance(12_000)
    expect([told.suspended, told.resumed, told.lost.length]).toEqual([1, 0, 0])
    world.up = true
    world.clock.advance(2_000)
    expect([told.suspended, told.resumed]).toEqual([1, 1])
  })

  test('whose news of suspension opens a session with a shorter timeout leaves one timer of keep-alive for both', () => {
    const script = new Script()
    const hub = hubOn(script.environment)
    const open = (timeoutMs: number, onSuspended: () => void): unknown =>
      hub.openSession({ ...SETTINGS, timeoutMs }, { ...NOBODY, onSuspended })
    open(12_000, () => open(3_000, () => {}))
    script.attach(5, 1, 12_000)
    // Whatever is under way is answered, so that nothing but keep-alive has a timer.
    script.clock.advance(14_000)
    script.say({ kind: 'opened', channel: 2, group: 0, incarnation: 1, index: 9, existing: false })
    for (const channel of [1, 2])
      script.say({ kind: 'attached', channel, epoch: 9, nextRequestId: 1, acknowledged: 0, timeoutMs: 12_000 })
    for (const { channel } of script.take('ping')) script.say({ kind: 'pong', channel })
    script.clock.advance(700)
    expect(script.clock.pending).toBe(1)
  })

  test('P-26 a session that expired meanwhile is lost: what was never sent is notExecuted, the rest unknown', () => {
    const world = new NodeWorld()
    const { core, told } = openOn(hubOn(world.environment))
    world.clock.advance(0)
    const { token } = core
    world.lastWire.loseUp = true
    const sent = run(core, 'echo', 'a')
    world.clock.advance(1)
    world.up = false
    world.lastWire.cut()
    const queued = run(core, 'echo', 'b')
    const facts = world.node.machine.sessionFacts(token?.index ?? 0)
    world.node.now += 100_000
    world.node.append(
      'ExpireSessions',
      encodePayload('ExpireSessions', {
        sessions: [{ group: 0, incarnation: 1, index: token?.index ?? 0, renewedAtIndex: facts?.renewedAtIndex ?? 0 }],
      }),
    )
    world.node.run()
    world.up = true
    world.clock.advance(2_000)
    expect(told.lost).toEqual(['SESSION_EXPIRED'])
    expect(sent.outcomes).toEqual([{ kind: 'unknown', code: 'SESSION_EXPIRED' }])
    expect(queued.outcomes).toMatchObject([{ kind: 'notExecuted', code: 'SESSION_EXPIRED' }])
    expect(run(core, 'echo', 'c').outcomes).toMatchObject([{ kind: 'notExecuted', code: 'SESSION_EXPIRED' }])
  })

  test('a session taken over elsewhere ends with SUPERSEDED and does not fight', () => {
    const world = new NodeWorld()
    const first = openOn(hubOn(world.environment))
    world.clock.advance(0)
    const token = first.core.token
    const second = openOn(hubOn(world.environment), { resume: token })
    world.clock.advance(5_000)
    expect([first.told.lost, second.told.ready, second.told.lost]).toEqual([['SUPERSEDED'], 1, []])
  })

  test('P-18 another process takes a session up by its token, without knowing the epoch, and goes on from a safe id', () => {
    const world = new NodeWorld()
    const first = hubOn(world.environment)
    const { core } = openOn(first)
    world.clock.advance(0)
    run(core, 'echo', 'a')
    run(core, 'echo', 'b')
    world.clock.advance(0)
    const { token } = core
    first.close()
    const second = openOn(hubOn(world.environment), { resume: token === null ? null : { ...token, epoch: 0 } })
    world.clock.advance(0)
    expect(second.told.ready).toBe(1)
    expect(run(second.core, 'echo', 'c').id).toBe(3)
    world.clock.advance(0)
    expect(world.node.user.calls.length).toBe(3)
  })

  test('P-34 closing ends the session after what was sent before, and fails what could not be sent', () => {
    const world = new NodeWorld()
    const { core, told } = openOn(hubOn(world.environment))
    world.clock.advance(0)
    const before = run(core, 'echo', 'a')
    const closed: boolean[] = []
    core.closeSession((result) => closed.push(result))
    world.clock.advance(0)
    expect(before.outcomes).toMatchObject([{ kind: 'ok' }])
    expect([closed, told.lost, world.node.machine.counts.sessions]).toEqual([[true], [], 0])

    const other = openOn(hubOn(world.environment))
    world.clock.advance(0)
    world.up = false
    world.lastWire.cut()
    const never = run(other.core, 'echo', 'b')
    other.core.closeSession((result) => closed.push(result))
    other.core.drop()
    expect(closed).toEqual([true, false])
    expect(never.outcomes).toMatchObject([{ kind: 'notExecuted', code: 'SESSION_CLOSED' }])
  })

  test('a close whose answer was lost is told again after attaching', () => {
    const world = new NodeWorld()
    const { core } = openOn(hubOn(world.environment))
    world.clock.advance(0)
    world.lastWire.loseUp = true
    const closed: boolean[] = []
    core.closeSession((result) => closed.push(result))
    world.clock.advance(0)
    world.lastWire.cut()
    world.clock.advance(100)
    expect(closed).toEqual([true])
  })

  test('its own attach, applied after its answer was lost, does not end a session that attaches again', () => {
    const fenced = sessionCodec.encodeValue({ current: 9 })
    const attachment = { kind: 'attached', channel: 1, nextRequestId: 1, acknowledged: 0, timeoutMs: 30_000 } as const
    for (const late of [
      { kind: 'superseded', channel: 1 },
      { kind: 'refused', channel: 1, subject: 'ack', code: 'FENCED', details: fenced },
      {
        kind: 'response',
        channel: 1,
        requestId: 1,
        answer: { kind: 'refused', index: 8, code: 'FENCED', details: fenced },
      },
    ] as const) {
      const script = new Script()
      const { told } = openOn(hubOn(script.environment))
      script.attach(5)
      script.cut()
      script.clock.advance(20)
      script.greet()
      // The answer to this attach was lost with its leader; the entry was not, and fences the attachment of epoch 5.
      const attach = script.take('attach').at(-1)
      script.say(late)
      expect(told.lost).toEqual([])
      script.cut()
      script.clock.advance(20)
      script.greet()
      expect(script.take('attach')).toEqual([attach])
      script.say({ ...attachment, epoch: 9 })
      expect(told.lost).toEqual([])
      script.say(late.kind === 'superseded' ? late : { kind: 'superseded', channel: 1 })
      expect(told.lost).toEqual(['SUPERSEDED'])
    }
  })

  test('what it said before its own newer attach, and the log refuses after that, does not end the session', () => {
    const fenced = { code: 'FENCED', details: sessionCodec.encodeValue({ current: 9 }) }
    const script = new Script()
    const { core, told } = openOn(hubOn(script.environment))
    script.attach(9)
    for (const subject of ['ack', 'ping', 'close'] as const) {
      script.say({ kind: 'refused', channel: 1, subject, ...fenced })
      expect(told.lost).toEqual([])
    }
    const closed: boolean[] = []
    core.closeSession((result) => closed.push(result))
    script.take('close')
    script.say({ kind: 'refused', channel: 1, subject: 'close', ...fenced })
    script.clock.advance(1000)
    expect(script.take('close').length).toBe(1)
    script.say({ kind: 'closed', channel: 1 })
    expect(closed).toEqual([true])
  })

  test('a copy of a command from before its own newer attach, fenced after that, ends nothing: the next copy does', () => {
    const script = new Script()
    const { core, told } = openOn(hubOn(script.environment))
    script.attach(5)
    const { outcomes } = run(core, 'echo', 1)
    script.take('request')
    // Its node led no more for a moment, and leads again: the same stream, and a new attach.
    script.say({ kind: 'leaderChanged', leader: '', leaderAddress: '' })
    script.say({ kind: 'leaderChanged', leader: 'n1', leaderAddress: 'n1:1' })
    expect(script.take('attach')).toMatchObject([{ replaces: 5 }])
    script.say({ kind: 'attached', channel: 1, epoch: 9, nextRequestId: 1, acknowledged: 0, timeoutMs: 30_000 })
    expect(script.take('request').map(({ requestId }) => requestId)).toEqual([1])
    // The gateway had parsed the first copy again after a change of version, behind the attach.
    const details = sessionCodec.encodeValue({ current: 9 })
    const fenced = { kind: 'refused', index: 10, code: 'FENCED', details } as const
    script.say({ kind: 'response', channel: 1, requestId: 1, answer: fenced })
    expect([outcomes, told.lost]).toEqual([[], []])
    const ok = { kind: 'ok', index: 11, replayed: false, invalidAck: false, value: details } as const
    script.say({ kind: 'response', channel: 1, requestId: 1, answer: ok })
    expect(outcomes).toMatchObject([{ kind: 'ok', index: 11 }])
  })

  test('the registry of refusals that end a session: another incarnation', () => {
    const script = new Script()
    const { told } = openOn(hubOn(script.environment))
    script.attach()
    script.cut()
    script.clock.advance(20)
    script.greet()
    script.say({ kind: 'refused', channel: 1, subject: 'attach', code: 'CLUSTER_CHANGED', details: nil })
    expect(told.lost).toEqual(['CLUSTER_CHANGED'])
  })
})
