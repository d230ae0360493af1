import { describe, expect, test } from 'vitest'
import { sessionCodec } from '../../../src/codec/session-codec.ts'
import type { RawQueryOutcome } from '../../../src/client/calls/query-board.ts'
import { hubOn, openOn, Script } from '../world.ts'

const nil = sessionCodec.encodeValue(null)

describe('queries', () => {
  const query = { consistency: 'stale' as const, incarnation: 0, minIndex: 0, machine: 't', query: 'q', input: nil }
  const result = (correlationId: number, code?: string) => ({
    kind: 'queryResult' as const,
    correlationId,
    index: 3,
    incarnation: 1,
    answer: code === undefined ? { kind: 'ok' as const, value: nil } : { kind: 'refused' as const, code, details: nil },
  })

  test('Q-002 Q-003 Q-005 Q-008 Q-009 correlation ids are the library’s; answers match in any order, each once', () => {
    const script = new Script()
    const hub = hubOn(script.environment)
    script.greet()
    const outcomes: string[] = []
    for (const name of ['a', 'b'])
      hub.query({ ...query, query: name }, 1_000, ({ kind }) => outcomes.push(`${name} ${kind}`))
    expect(script.take('query').map(({ correlationId, channel }) => [correlationId, channel])).toEqual([
      [1, 0],
      [2, 0],
    ])
    script.say(result(2), result(1), result(1), result(9))
    expect(outcomes).toEqual(['b ok', 'a ok'])
  })

  test('Q-004 Q-006 is asked again with the same id, after a refusal for now and over connections', () => {
    const script = new Script()
    const hub = hubOn(script.environment)
    const outcomes: RawQueryOutcome[] = []
    hub.query(query, 5_000, (outcome) => outcomes.push(outcome))
    script.greet()
    expect(script.take('query').map(({ correlationId }) => correlationId)).toEqual([1])
    script.say(result(1, 'BEHIND'))
    script.clock.advance(50)
    expect(script.take('query').map(({ correlationId }) => correlationId)).toEqual([1])
    script.cut()
    script.clock.advance(20)
    script.greet()
    expect(script.take('query').map(({ correlationId }) => correlationId)).toEqual([1])
    script.say(result(1))
    expect(outcomes).toMatchObject([{ kind: 'ok', index: 3, incarnation: 1 }])
  })

  test('a query ends by its deadline, a refusal for good, or the end of the connection', () => {
    const script = new Script()
    const hub = hubOn(script.environment)
    script.greet()
    const outcomes: RawQueryOutcome[] = []
    for (const deadline of [10, 1_000, 1_000]) hub.query(query, deadline, (outcome) => outcomes.push(outcome))
    script.clock.advance(10)
    script.say(result(2, 'UNKNOWN_QUERY'))
    hub.close()
    expect(outcomes).toEqual([
      { kind: 'failed', code: 'DEADLINE_EXCEEDED' },
      { kind: 'failed', code: 'UNKNOWN_QUERY' },
      { kind: 'failed', code: 'SESSION_CLOSED' },
    ])
    hub.query(query, 10, (outcome) => outcomes.push(outcome))
    expect(outcomes.length).toBe(4)
  })

  test('what is bound to a session says so, and ends with it', () => {
    const script = new Script()
    const hub = hubOn(script.environment)
    const { core } = openOn(hub)
    script.attach()
    script.take('attach')
    const outcomes: string[] = []
    const ask = (name: string, sessionBound: boolean, channel = core.channel): void =>
      hub.query({ ...query, channel, sessionBound }, 5_000, (outcome) =>
        outcomes.push(`${name} ${outcome.kind === 'failed' ? outcome.code : outcome.kind}`),
      )
    ask('bound', true)
    ask('free', false)
    ask('of nobody', true, 77)
    script.clock.advance(0)
    const kinds = script.heard.map((message) => message.kind)
    expect([kinds, outcomes]).toEqual([['boundQuery', 'query'], ['of nobody SESSION_CLOSED']])
    script.say({ kind: 'ended', channel: core.channel, reason: 'expired' })
    expect(outcomes).toEqual(['of nobody SESSION_CLOSED', 'bound SESSION_EXPIRED'])
    ask('late', true)
    expect(outcomes.slice(2)).toEqual(['late SESSION_CLOSED'])
    script.say(result(2))
    expect(outcomes.slice(3)).toEqual(['free ok'])
  })
})
