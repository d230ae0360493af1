import { describe, expect, test } from 'vitest'
import { sessionCodec } from '../../../src/codec/session-codec.ts'
import { ACK_DELAY_MS } from '../../../src/client/session/request-inbox.ts'
import { hubOn, NodeWorld, openOn, run, Script } from '../world.ts'

const nil = sessionCodec.encodeValue(null)

describe('server requests', () => {
  const request = (serverRequestId: number, previousId = serverRequestId - 1) => ({
    kind: 'serverRequest' as const,
    channel: 1,
    serverRequestId,
    previousId,
    attempt: 1,
    index: 3,
    now: 4,
    type: 'note',
    payload: nil,
  })

  test('P-16 P-29 each id is handled once, in order, one at a time, and acknowledged after its handler', () => {
    const script = new Script()
    const { told } = openOn(hubOn(script.environment), {}, true)
    script.attach()
    script.say(request(1), request(2), request(1), request(3))
    expect(told.requests.map(({ serverRequestId }) => serverRequestId)).toEqual([1])
    script.clock.advance(1_000)
    expect(script.take('ack')).toEqual([])
    told.dones[0]?.(null)
    told.dones[1]?.(null)
    script.clock.advance(ACK_DELAY_MS)
    expect(script.take('ack').map(({ serverRequestId }) => serverRequestId)).toEqual([2])
    expect(told.requests.map(({ serverRequestId }) => serverRequestId)).toEqual([1, 2, 3])
    script.say(request(2))
    expect(script.take('ack').map(({ serverRequestId }) => serverRequestId)).toEqual([2])
  })

  test('P-17 an ack rides on the next command instead of a message of its own', () => {
    const script = new Script()
    const { core } = openOn(hubOn(script.environment))
    script.attach()
    script.say(request(1), request(2))
    run(core, 'echo', 1)
    run(core, 'echo', 2)
    expect(script.take('request').map(({ ackServerRequests }) => ackServerRequests)).toEqual([2, 0])
    script.clock.advance(1_000)
    expect(script.take('ack')).toEqual([])
  })

  test.each(['VALIDATION_ERROR', 'OVERLOADED'])(
    'P-17 an ack that rode on a command refused with %s is said again',
    (code) => {
      const script = new Script()
      const { core } = openOn(hubOn(script.environment))
      script.attach()
      script.say(request(1), request(2))
      run(core, 'echo', 1)
      const [sent] = script.take('request')
      expect(sent?.ackServerRequests).toBe(2)
      const requestId = sent?.requestId ?? 0
      script.say({ kind: 'response', channel: 1, requestId, answer: { kind: 'notExecuted', code, details: nil } })
      script.clock.advance(ACK_DELAY_MS)
      // On the copy that is sent again, or alone.
      const acks = script.heard.flatMap((message) => {
        if (message.kind === 'ack') return message.serverRequestId
        return message.kind === 'request' ? message.ackServerRequests : []
      })
      expect(acks[0]).toBe(2)
    },
  )

  test('an ack that was refused is said again', () => {
    const script = new Script()
    openOn(hubOn(script.environment))
    script.attach()
    script.say(request(1))
    script.clock.advance(ACK_DELAY_MS)
    expect(script.take('ack')).toHaveLength(1)
    script.say({ kind: 'refused', channel: 1, subject: 'ack', code: 'OVERLOADED', details: nil })
    script.clock.advance(ACK_DELAY_MS)
    expect(script.take('ack').map(({ serverRequestId }) => serverRequestId)).toEqual([1])
  })

  test('what was handled is acknowledged before the session is closed', () => {
    const script = new Script()
    const { core } = openOn(hubOn(script.environment))
    script.attach()
    script.say(request(1), request(2))
    core.closeSession(() => undefined)
    script.clock.advance(0)
    const heard = script.heard.map((message) => message.kind)
    expect(heard.slice(-2)).toEqual(['ack', 'close'])
    expect(script.take('ack').map(({ serverRequestId }) => serverRequestId)).toEqual([2])
  })

  test('a mebibyte of handled requests is acknowledged at once', () => {
    const script = new Script()
    openOn(hubOn(script.environment))
    script.attach()
    const payload = sessionCodec.encodeValue(new Uint8Array(600 * 1024))
    script.say({ ...request(1), payload })
    expect(script.take('ack')).toEqual([])
    script.say({ ...request(2), payload })
    expect(script.take('ack').map(({ serverRequestId }) => serverRequestId)).toEqual([2])
  })

  test('an ack that waits for a command is sent when the session is left to another process', () => {
    const script = new Script()
    const { core } = openOn(hubOn(script.environment))
    script.attach()
    script.say(request(1), request(2))
    expect(script.take('ack')).toEqual([])
    core.drop()
    script.clock.advance(0)
    expect(script.take('ack').map(({ serverRequestId }) => serverRequestId)).toEqual([2])
  })

  test('a gap is not jumped: what is missing comes first', () => {
    const script = new Script()
    const { told } = openOn(hubOn(script.environment))
    script.attach()
    script.say(request(1), request(3))
    expect(told.requests.length).toBe(1)
    script.say(request(2), request(3), request(7, 3))
    expect(told.requests.map(({ serverRequestId }) => serverRequestId)).toEqual([1, 2, 3, 7])
  })

  test('what was left out before a request is told with it, again when it is tried again, and of no other one', () => {
    const script = new Script()
    const { told } = openOn(hubOn(script.environment), {}, true)
    script.attach()
    script.say(request(3, 0), request(4), request(9, 4), request(10))
    const heard = (): unknown[] =>
      told.requests.map(({ serverRequestId }, at) => [serverRequestId, told.leftOut[at] ?? null])
    told.dones[0]?.(new Error('no'))
    script.clock.advance(100)
    for (const at of [1, 2, 3]) told.dones[at]?.(null)
    expect(heard()).toEqual([
      [3, { from: 1, to: 2 }],
      [3, { from: 1, to: 2 }],
      [4, null],
      [9, { from: 5, to: 8 }],
      [10, null],
    ])
  })

  test('what an earlier holder acknowledged is not left out', () => {
    const script = new Script()
    const { told } = openOn(hubOn(script.environment), {}, true)
    script.attach()
    script.say(request(1), request(5, 1))
    script.cut()
    script.clock.advance(20)
    script.greet()
    // Somebody else has handled all of them meanwhile: what is left out before 9 begins behind what is acknowledged.
    script.say({ kind: 'attached', channel: 1, epoch: 6, nextRequestId: 1, acknowledged: 6, timeoutMs: 30_000 })
    script.say(request(9, 6))
    told.dones[0]?.(null)
    expect(told.requests.map(({ serverRequestId }) => serverRequestId)).toEqual([1, 9])
    expect(told.leftOut).toEqual([null, { from: 7, to: 8 }])
  })

  test('P-13 a handler that fails is tried again here, in order and with growing pauses; the rest waits and nothing is lost', () => {
    const script = new Script()
    const { told } = openOn(hubOn(script.environment), {}, true)
    script.attach()
    script.say(request(1), request(2), request(3))
    const ids = (): number[] => told.requests.map(({ serverRequestId }) => serverRequestId)
    told.dones[0]?.(null)
    for (let failure = 1; failure <= 12; failure += 1) {
      told.dones.at(-1)?.(new Error('no'))
      const before = ids().length
      // What comes again meanwhile, or anew, changes nothing about the order.
      script.say(request(2), request(3), request(3 + failure))
      expect(ids().length).toBe(before)
      script.clock.advance(10_000)
      expect(ids().slice(before)).toEqual([2])
    }
    expect(told.errors.length).toBe(12)
    expect(script.take('ack').every(({ serverRequestId }) => serverRequestId === 1)).toBe(true)
    for (let count = 0; count < 14; count += 1) told.dones.at(-1)?.(null)
    expect(ids().slice(-14)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15])
    script.clock.advance(ACK_DELAY_MS)
    expect(script.take('ack').at(-1)).toMatchObject({ serverRequestId: 15 })
  })

  test('a failed request that the log knows as acknowledged is not tried again, and its late end takes nothing back', () => {
    const script = new Script()
    const { told } = openOn(hubOn(script.environment), {}, true)
    script.attach()
    script.say(request(1), request(2), request(3))
    told.dones[0]?.(new Error('no'))
    script.cut()
    script.clock.advance(20)
    script.greet()
    script.say({ kind: 'attached', channel: 1, epoch: 6, nextRequestId: 1, acknowledged: 2, timeoutMs: 30_000 })
    expect(told.requests.map(({ serverRequestId }) => serverRequestId)).toEqual([1, 3])
    script.clock.advance(10_000)
    expect(told.requests.length).toBe(2)
    told.dones[1]?.(null)
    script.clock.advance(ACK_DELAY_MS)
    expect(script.take('ack').at(-1)).toMatchObject({ serverRequestId: 3 })
  })

  test('a session that ends tries nothing again', () => {
    const script = new Script()
    const { told } = openOn(hubOn(script.environment), {}, true)
    script.attach()
    script.say(request(1))
    told.dones[0]?.(new Error('no'))
    script.say({ kind: 'ended', channel: 1, reason: 'expired' })
    script.clock.advance(60_000)
    expect(told.requests.length).toBe(1)
  })

  test('a request chained to one at or below the last received is no gap: what was between is no more', () => {
    const script = new Script()
    const { told } = openOn(hubOn(script.environment))
    script.attach()
    script.say(request(4, 0), request(9, 4), request(12, 2))
    expect(told.requests.map(({ serverRequestId }) => serverRequestId)).toEqual([4, 9, 12])
    script.say(request(20, 15))
    expect(told.requests.length).toBe(3)
    script.say(request(15, 12), request(20, 15))
    expect(told.requests.map(({ serverRequestId }) => serverRequestId)).toEqual([4, 9, 12, 15, 20])
  })

  test('P-25 P-32 requests that were under way are delivered once over any number of reconnects', () => {
    const world = new NodeWorld({ credit: 4 })
    const { core, told } = openOn(hubOn(world.environment))
    world.clock.advance(0)
    run(core, 'emit', 10)
    world.lastWire.loseDown = true
    world.clock.advance(5)
    world.lastWire.cut()
    world.clock.advance(500)
    expect(told.requests.map(({ serverRequestId }) => serverRequestId)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    expect(world.node.machine.sessionFacts(core.token?.index ?? 0)?.acknowledged).toBe(10)
  })
})
