import { describe, expect, test } from 'vitest'
import { sessionCodec } from '../../../src/codec/session-codec.ts'
import type { ChangeMessage } from '../../../src/protocol/down-message.ts'
import { ChangeIterator } from '../../../src/client/calls/live-query.ts'
import type { Value } from '../../../src/codec/value/value.ts'
import { hubOn, openOn, Script } from '../world.ts'

const nil = sessionCodec.encodeValue(null)
const REQUEST = { channel: 1, incarnation: 1, minIndex: 3, machine: 't', query: 'q', input: nil }

function change(subscriptionId: number, index: number, value: Value, compacted = false): ChangeMessage {
  return { kind: 'change', subscriptionId, index, compacted, value: sessionCodec.encodeValue(value) }
}

function ended(subscriptionId: number, code: string, reason: 'rejected' | 'refused' = 'refused') {
  return { kind: 'subscriptionEnded' as const, subscriptionId, reason, code, details: sessionCodec.encodeValue(code) }
}

/** An attached session that has subscribed once, and what it heard. */
function subscribed() {
  const script = new Script()
  const hub = hubOn(script.environment)
  const { core } = openOn(hub)
  script.attach()
  const heard: unknown[] = []
  const close = hub.subscribe(REQUEST, {
    onChange: ({ kind, index, value }) => heard.push([kind, index, sessionCodec.decodeValue(value)]),
    onEnd: ({ kind, code }) => heard.push([kind, code]),
  })
  const take = (): unknown[] => heard.splice(0)
  const sent = () => script.take('subscribe').map(({ subscriptionId, minIndex }) => [subscriptionId, minIndex])
  const again = (): void => {
    script.cut()
    script.clock.advance(20)
    script.attach(6)
  }
  return { script, hub, core, close, take, sent, again }
}

describe('a subscription of the library', () => {
  test('is sent with each attach, under a new id, from the index it has seen', () => {
    const { script, sent, again, take } = subscribed()
    expect(sent()).toEqual([[1, 3]])
    script.say(change(1, 9, 'a'), change(1, 12, 'b'))
    expect(take()).toEqual([
      ['value', 9, 'a'],
      ['value', 12, 'b'],
    ])
    again()
    expect(sent()).toEqual([[2, 12]])
    script.say(change(1, 11, 'old'), change(2, 14, 'c'), change(2, 15, 'd'))
    expect(take()).toEqual([
      ['compacted', 14, 'c'],
      ['value', 15, 'd'],
    ])
  })

  test('that is made while its session hears that it is attached is sent once', () => {
    const script = new Script()
    const hub = hubOn(script.environment)
    const { core, told } = openOn(hub)
    Object.defineProperty(told, 'ready', {
      get: () => 0,
      set: () => hub.subscribe({ ...REQUEST, channel: core.channel }, { onChange: () => {}, onEnd: () => {} }),
    })
    script.attach()
    expect(script.take('subscribe').map(({ subscriptionId }) => subscriptionId)).toEqual([1])
  })

  test('tells a value again only when it is another one, and then that others may have been between', () => {
    const { script, again, take, sent } = subscribed()
    script.say(change(1, 9, 'a'))
    again()
    script.say(change(2, 14, 'a'))
    expect(take()).toEqual([['value', 9, 'a']])
    script.say(change(2, 16, 'b'), change(2, 17, 'c'))
    expect(take()).toEqual([
      ['compacted', 16, 'b'],
      ['value', 17, 'c'],
    ])
    sent()
    again()
    expect(sent()).toEqual([[3, 17]])
  })

  test('passes on what the node left out', () => {
    const { script, take } = subscribed()
    script.say(change(1, 9, 'a'), change(1, 20, 'b', true), change(1, 21, 'c'))
    expect(take().map((each) => (each as string[])[0])).toEqual(['value', 'compacted', 'value'])
  })

  test('that was never answered begins with a value', () => {
    const { script, again, take } = subscribed()
    again()
    script.say(change(2, 9, 'a'))
    expect(take()).toEqual([['value', 9, 'a']])
  })

  test('is sent again after a refusal for now, and ends with any other, and with OVERLOADED', () => {
    const { script, sent, take } = subscribed()
    sent()
    script.say(ended(1, 'BEHIND'))
    script.clock.advance(50)
    expect(sent()).toEqual([[2, 3]])
    script.say(ended(2, 'NOT_ATTACHED'))
    script.clock.advance(50)
    expect(sent()).toEqual([[3, 3]])
    script.say(ended(3, 'OVERLOADED'), change(3, 9, 'late'))
    expect(take()).toEqual([['failed', 'OVERLOADED']])
  })

  test.each([
    ['rejected by the machine', (script: Script) => script.say(ended(1, 'BAD', 'rejected')), ['rejected', 'BAD']],
    [
      'that has expired',
      (script: Script) => script.say({ kind: 'ended', channel: 1, reason: 'expired' }),
      ['failed', 'SESSION_EXPIRED'],
    ],
    ['taken over', (script: Script) => script.say({ kind: 'superseded', channel: 1 }), ['failed', 'SUPERSEDED']],
  ] as const)('of a session or query %s ends with the code', (_name, end, told) => {
    const { script, take } = subscribed()
    end(script)
    expect(take()).toEqual([told])
  })

  test('ends with its connection, and begins with none that is over', () => {
    const { hub, take } = subscribed()
    hub.close('DETACHED')
    hub.subscribe(REQUEST, { onChange: () => {}, onEnd: ({ code }) => expect(code).toBe('DETACHED') })
    expect(take()).toEqual([['failed', 'DETACHED']])
    expect.assertions(2)
  })

  test('that is closed says so once and hears nothing more', () => {
    const { script, close, take } = subscribed()
    close()
    close()
    script.clock.advance(0)
    expect(script.heard.filter(({ kind }) => kind === 'unsubscribe')).toEqual([
      { kind: 'unsubscribe', channel: 1, subscriptionId: 1 },
    ])
    script.say(change(1, 9, 'a'))
    expect(take()).toEqual([])
  })
})

describe('its iterator', () => {
  type Listener = Parameters<ConstructorParameters<typeof ChangeIterator>[1]>[0]

  function live(bufferBytes = 1000) {
    const parts: { listener: Listener | null; closed: number } = { listener: null, closed: 0 }
    const query = new ChangeIterator(bufferBytes, (listener) => {
      parts.listener = listener
      return () => {
        parts.closed += 1
      }
    })
    return {
      query,
      parts,
      tell: (index: number, value: Value) =>
        parts.listener?.onChange({ kind: 'value', index, value: sessionCodec.encodeValue(value) }),
      end: () => parts.listener?.onEnd({ kind: 'rejected', code: 'BAD', details: sessionCodec.encodeValue('why') }),
    }
  }

  test('gives what came in order, to whoever waits and whoever comes', async () => {
    const { query, tell } = live()
    const waiting = [query.next(), query.next()]
    for (const index of [1, 2, 3]) tell(index, `v${index}`)
    const changes = await Promise.all([...waiting, query.next()])
    expect(changes.map(({ value }) => value)).toEqual(
      [1, 2, 3].map((index) => ({ kind: 'value', index, value: `v${index}` })),
    )
  })

  test('of a slow reader leaves out all but the newest, which says so', async () => {
    const { query, tell } = live(250)
    for (let index = 1; index <= 6; index += 1) tell(index, index)
    const first = await query.next()
    const second = await query.next()
    expect([first.value?.kind, first.value?.index]).toEqual(['compacted', 4])
    expect([second.value?.kind, second.value?.index]).toEqual(['value', 5])
  })

  test('gives what came before the end, then rejects once with the code, then is done', async () => {
    const { query, tell, end } = live()
    tell(1, 'a')
    end()
    expect((await query.next()).value?.value).toBe('a')
    await expect(query.next()).rejects.toMatchObject({ code: 'BAD', details: 'why', rejected: true })
    expect(await query.next()).toEqual({ done: true, value: undefined })
  })

  test('unsubscribes when the loop is left, and lets go of whoever waits', async () => {
    const { query, tell, parts } = live()
    tell(1, 'a')
    for await (const { value } of query) {
      expect(value).toBe('a')
      break
    }
    expect(parts.closed).toBe(1)
    const other = live()
    const waiting = other.query.next()
    other.query.close()
    expect(await waiting).toEqual({ done: true, value: undefined })
  })
})
