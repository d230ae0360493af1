import { describe, expect, test } from 'vitest'
import { sessionCodec } from '../../../src/codec/session-codec.ts'
import type { DownMessage } from '../../../src/protocol/down-message.ts'
import { greetingOf, hubOn, openOn, run, Script } from '../world.ts'

/** The longest election timeout: the limit of silence where sessions have long timeouts. */
const LIMIT_MS = 600
const PONG: DownMessage = { kind: 'pong', channel: 1 }
const NIL = sessionCodec.encodeValue(null)

/** A session that is attached to n1 of three nodes, and has nothing under way. */
function attachedTo(timeoutMs = 30_000, endpoints = ['n1:1', 'n2:1', 'n3:1']) {
  const script = new Script()
  const hub = hubOn(script.environment, endpoints)
  const { core, told } = openOn(hub, { timeoutMs })
  script.attach(5, 1, timeoutMs)
  script.take('attach')
  return { script, hub, core, told }
}

describe('a leader that falls silent', () => {
  test('is suspected an election timeout after a command, and kept until another node leads', () => {
    const { script, hub, core } = attachedTo()
    script.frozen = true
    const { outcomes } = run(core, 'add', 1)
    script.clock.advance(LIMIT_MS - 1)
    expect(script.open).toEqual(['n1:1'])
    script.clock.advance(1)
    expect(script.open).toEqual(['n1:1', 'n2:1', 'n3:1'])
    // The others still take it for the leader.
    script.sayAt('n2:1', greetingOf('n2', 'n1', 'n1:1'))
    script.sayAt('n3:1', greetingOf('n3', 'n1', 'n1:1'))
    expect([hub.ready, hub.greeting, script.open]).toMatchObject([
      true,
      { node: 'n1' },
      ['n1:1', 'n2:1', 'n3:1', 'n1:1'],
    ])
    script.sayAt('n3:1', { kind: 'leaderChanged', leader: 'n3', leaderAddress: 'n3:1' })
    expect([hub.greeting, script.open]).toMatchObject([{ node: 'n3' }, ['n3:1']])
    script.clock.advance(0)
    expect(script.heard).toMatchObject([
      { kind: 'request', requestId: 1 },
      { kind: 'attach', replaces: 5 },
      { kind: 'request', requestId: 1 },
    ])
    expect(outcomes).toEqual([])
  })

  test('is suspected after a quarter of the shortest session timeout where that comes first', () => {
    const { script, core } = attachedTo(1_200)
    script.frozen = true
    run(core, 'add', 1)
    script.clock.advance(299)
    expect(script.open).toEqual(['n1:1'])
    script.clock.advance(1)
    expect(script.open).toHaveLength(3)
  })

  test('is suspected for a ping without an answer: a session of 3 s has half its time left', () => {
    const { script } = attachedTo(3_000)
    script.frozen = true
    // A quarter of the timeout until the ping, a round of keep-alive, and the limit.
    script.clock.advance(750 + 250 + LIMIT_MS)
    expect(script.open).toEqual(['n1:1', 'n2:1', 'n3:1'])
  })

  test('is suspected for an open and for a query without an answer', () => {
    for (const ask of ['open', 'query']) {
      const script = new Script()
      const hub = hubOn(script.environment, ['n1:1', 'n2:1'])
      script.greet()
      script.frozen = true
      if (ask === 'open') openOn(hub)
      else {
        const input = Uint8Array.of(0)
        const request = { channel: 0, consistency: 'stale', incarnation: 0, minIndex: 0 } as const
        hub.query({ ...request, machine: 't', query: 'all', input }, 10_000, () => undefined)
      }
      script.clock.advance(LIMIT_MS)
      expect(script.open, ask).toEqual(['n1:1', 'n2:1'])
    }
  })

  test('is no longer suspected when it is heard, and whoever was asked meanwhile is let go', () => {
    const { script, hub, core } = attachedTo()
    script.frozen = true
    run(core, 'add', 1)
    script.clock.advance(LIMIT_MS)
    expect(script.open).toHaveLength(3)
    script.sayAt('n1:1', PONG)
    expect([hub.ready, script.open]).toEqual([true, ['n1:1']])
  })

  test('that wakes up and knows no leader is asked beside the others', () => {
    const { script, hub, core } = attachedTo()
    script.frozen = true
    run(core, 'add', 1)
    script.clock.advance(LIMIT_MS)
    script.sayAt('n1:1', { kind: 'leaderChanged', leader: '', leaderAddress: '' })
    expect([hub.ready, script.open]).toEqual([false, ['n1:1', 'n2:1', 'n3:1']])
    script.sayAt('n2:1', greetingOf('n2', 'n2', 'n2:1'))
    expect([hub.ready, script.open]).toEqual([true, ['n2:1']])
  })

  test('over a connection that carries nothing any more is reached over a new one', () => {
    const { script, hub, core } = attachedTo(30_000, ['proxy:1', 'n2:1'])
    script.frozen = true
    run(core, 'add', 1)
    script.clock.advance(LIMIT_MS)
    script.sayAt('n2:1', greetingOf('n2', 'n1', 'n1:1'))
    script.sayAt('n1:1', greetingOf('n1', 'n1', 'n1:1'))
    // The node lives, so the first connection may only be crowded: it is given as long again.
    expect(script.open).toContain('proxy:1')
    script.clock.advance(LIMIT_MS)
    expect([hub.greeting, script.open]).toMatchObject([{ node: 'n1' }, ['n1:1']])
  })

  test('whose first stream is reset is had over the second, which was ready and not needed', () => {
    const { script, hub, core } = attachedTo(30_000, ['proxy:1', 'n2:1'])
    script.frozen = true
    run(core, 'add', 1)
    script.clock.advance(LIMIT_MS)
    script.sayAt('n2:1', greetingOf('n2', 'n1', 'n1:1'))
    script.sayAt('n1:1', greetingOf('n1', 'n1', 'n1:1'))
    expect(script.open).toContain('proxy:1')
    script.cutAt('proxy:1')
    expect([hub.greeting, hub.lastFailure, script.open]).toMatchObject([{ node: 'n1' }, 'UNAVAILABLE: cut', ['n1:1']])
    expect(script.take('attach')).toHaveLength(1)
  })

  test('that was suspected for nothing is dialled at once when it is lost, however often the others were dialled', () => {
    const { script, hub, core } = attachedTo()
    script.frozen = true
    run(core, 'add', 1)
    for (let tenth = 0; tenth < 50; tenth += 1) {
      script.clock.advance(100)
      for (const other of ['n2:1', 'n3:1']) script.cutAt(other)
    }
    script.sayAt('n1:1', PONG)
    expect([hub.ready, script.open]).toEqual([true, ['n1:1']])
    const before = script.dialled.length
    script.cutAt('n1:1')
    script.clock.advance(10)
    expect(script.dialled.slice(before)).toHaveLength(2)
  })

  test('is suspected for what was asked, and not for the time before in which nothing was owed', () => {
    const { script, core } = attachedTo()
    run(core, 'add', 1)
    script.clock.advance(100)
    script.say({
      kind: 'response',
      channel: 1,
      requestId: 1,
      answer: { kind: 'ok', index: 9, replayed: false, invalidAck: false, value: NIL },
    })
    script.frozen = true
    script.clock.advance(290)
    run(core, 'add', 2)
    script.clock.advance(LIMIT_MS - 1)
    expect(script.open).toEqual(['n1:1'])
    script.clock.advance(1)
    expect(script.open).toHaveLength(3)
  })

  test('is suspected a limit after its last word while an older answer is owed, although a probe goes out', () => {
    const { script, core } = attachedTo()
    run(core, 'add', 1)
    script.clock.advance(100)
    script.frozen = true
    script.sayAt('n1:1', PONG)
    script.clock.advance(LIMIT_MS)
    expect(script.open).toHaveLength(3)
  })

  test('over a crowded connection is not left again and again: the patience doubles', () => {
    const { script, core } = attachedTo(30_000, ['n1:1'])
    script.frozen = true
    run(core, 'add', 1)
    const waits: number[] = []
    for (let round = 0; round < 5; round += 1) {
      const from = script.clock.monotonicMs()
      const streams = script.dialled.length
      while (script.take('attach').length === 0) {
        script.clock.advance(100)
        if (script.dialled.length > streams) script.say(greetingOf('n1', 'n1', 'n1:1'))
      }
      waits.push(Math.round((script.clock.monotonicMs() - from) / LIMIT_MS))
    }
    expect(waits).toEqual([2, 4, 8, 16, 16])
  })
})

describe('a leader that is only slow', () => {
  test('answers a probe, costs no connection, and is probed no more than once in half the limit', () => {
    const { script, hub, core } = attachedTo()
    run(core, 'add', 1)
    script.clock.advance(60_000)
    expect([hub.ready, script.dialled]).toEqual([true, ['n1:1']])
    expect(script.probes).toBeLessThanOrEqual(60_000 / (LIMIT_MS / 2))
  })

  test('a thousand sessions that ask nothing cause no probe and keep no timer but that of keep-alive', () => {
    const script = new Script()
    const hub = hubOn(script.environment)
    script.greet()
    for (let count = 0; count < 1000; count += 1) openOn(hub)
    for (let channel = 1; channel <= 1000; channel += 1) {
      script.say({ kind: 'opened', channel, group: 0, incarnation: 1, index: channel, existing: false })
      script.say({ kind: 'attached', channel, epoch: 5, nextRequestId: 1, acknowledged: 0, timeoutMs: 30_000 })
    }
    script.clock.advance(LIMIT_MS)
    expect([script.probes, script.clock.pending]).toEqual([0, 1])
  })

  test('a client that stood still itself suspects nobody before it has read what came meanwhile', () => {
    const { script, core } = attachedTo()
    script.frozen = true
    run(core, 'add', 1)
    // The timer fires ten seconds late.
    script.clock.jump(10_000)
    script.clock.advance(0)
    expect(script.open).toEqual(['n1:1'])
    script.clock.advance(LIMIT_MS)
    expect(script.open).toHaveLength(3)
  })

  test('is suspected a limit after a word that came before a late timer did', () => {
    const { script, core } = attachedTo()
    script.frozen = true
    run(core, 'add', 1)
    script.clock.jump(10_000)
    script.sayAt('n1:1', PONG)
    script.clock.advance(LIMIT_MS)
    expect(script.open).toHaveLength(3)
  })
})

test('a session is suspended when nothing was confirmed for its timeout, and resumed by the leader that is found', () => {
  const { script, told } = attachedTo()
  script.frozen = true
  script.clock.advance(30_000)
  expect([told.suspended, told.lost]).toEqual([0, []])
  script.clock.advance(2_500)
  expect([told.suspended, told.resumed, told.lost]).toEqual([1, 0, []])
  script.sayAt('n2:1', greetingOf('n2', 'n2', 'n2:1'))
  script.sayAt('n2:1', { kind: 'attached', channel: 1, epoch: 9, nextRequestId: 1, acknowledged: 0, timeoutMs: 30_000 })
  expect([told.suspended, told.resumed, told.lost]).toEqual([1, 1, []])
})
