import { describe, expect, test } from 'vitest'
import { Random } from '../../src/base/random.ts'
import type { ConnectionListener } from '../../src/transport/peer-connection.ts'
import { PeerLink } from '../../src/transport/peer-link.ts'
import { FakeClock } from './fake-clock.ts'

class ScriptedDial {
  readonly dialled: {
    address: string
    listener: ConnectionListener
    closed: boolean
    written: { bytes: number; taken: () => void }[]
  }[] = []
  readonly dial = (address: string, listener: ConnectionListener) => {
    const connection = { address, listener, closed: false, written: [] as { bytes: number; taken: () => void }[] }
    this.dialled.push(connection)
    return {
      write: (message: Buffer, taken: () => void) => void connection.written.push({ bytes: message.length, taken }),
      close: () => {
        connection.closed = true
      },
    }
  }
  get last() {
    const connection = this.dialled.at(-1)
    if (connection === undefined) throw new Error('nothing was dialled')
    return connection
  }
}

function setUp(windowBytes = 100) {
  const clock = new FakeClock()
  const script = new ScriptedDial()
  const events: string[] = []
  const link = new PeerLink({
    address: 'a:1',
    clock,
    random: new Random(1),
    dial: script.dial,
    connectTimeoutMs: 1200,
    backoffMaxMs: 600,
    windowBytes,
    onOpen: () => events.push('open'),
    onEnd: (end) => events.push(end),
  })
  return { clock, script, events, link }
}

describe('a link to a peer', () => {
  test('a peer that accepts and stays silent is dialled anew after the watchdog, for ever', () => {
    const { clock, script, events } = setUp()
    for (let round = 1; round <= 5; round += 1) {
      expect(script.dialled.length).toBe(round)
      const { last } = script
      clock.advance(1199)
      expect(events.length).toBe(round - 1)
      clock.advance(1)
      expect(events.length).toBe(round)
      expect(last.closed).toBe(true)
      while (script.dialled.length === round) clock.advance(1)
    }
    expect(new Set(events)).toEqual(new Set(['timeout']))
  })

  test('the backoff doubles with jitter, is capped at one election timeout, and starts over after a connection', () => {
    const { clock, script } = setUp()
    const waits: number[] = []
    for (let round = 0; round < 12; round += 1) {
      const before = script.dialled.length
      script.last.listener.onEnd('gone', '')
      let waited = 0
      while (script.dialled.length === before) {
        clock.advance(1)
        waited += 1
      }
      waits.push(waited)
    }
    expect(waits[0]).toBeLessThanOrEqual(76)
    expect(Math.max(...waits)).toBeLessThanOrEqual(601)
    expect(Math.min(...waits.slice(-4))).toBeGreaterThanOrEqual(300)
    script.last.listener.onOpen(10)
    const before = script.dialled.length
    script.last.listener.onEnd('gone', '')
    clock.advance(11)
    expect(script.dialled.length).toBe(before + 1)
  })

  test('a process that is gone is dialled at once, and then left alone for an eighth of the longest wait', () => {
    const { clock, script } = setUp()
    script.last.listener.onOpen(10)
    script.last.listener.onEnd('gone', '')
    clock.advance(11)
    expect(script.dialled.length).toBe(2)
    script.last.listener.onEnd('gone', '')
    clock.advance(37)
    expect(script.dialled.length).toBe(2)
    clock.advance(39)
    expect(script.dialled.length).toBe(3)
  })

  test('a peer that dials this node is dialled at once, and one that is being dialled, reached, or refuses our frames, is not', () => {
    const { clock, script, link } = setUp()
    link.heard()
    expect(script.dialled.length).toBe(1)
    script.last.listener.onEnd('gone', '')
    link.heard()
    expect(script.dialled.length).toBe(2)
    script.last.listener.onOpen(10)
    link.heard()
    clock.advance(2000)
    expect(script.dialled.length).toBe(2)
    script.last.listener.onEnd('refused', 'WRONG_CLUSTER')
    link.heard()
    expect(script.dialled.length).toBe(2)
    // Once it takes them, it is one like any other.
    clock.advance(601)
    script.last.listener.onOpen(10)
    script.last.listener.onEnd('gone', '')
    link.heard()
    expect(script.dialled.length).toBe(4)
    link.close()
    link.heard()
    expect(script.dialled.length).toBe(4)
  })

  test('a peer that refuses our frames is not hurried', () => {
    const { clock, script } = setUp()
    script.last.listener.onOpen(10)
    script.last.listener.onEnd('refused', 'WRONG_CLUSTER')
    clock.advance(299)
    expect(script.dialled.length).toBe(1)
    clock.advance(302)
    expect(script.dialled.length).toBe(2)
  })

  test('bytes beyond the window are dropped until the socket has taken some', () => {
    const { script, link } = setUp(100)
    expect(link.write(Buffer.alloc(10), true)).toBe(false)
    script.last.listener.onOpen(10)
    expect(link.write(Buffer.alloc(60), true)).toBe(true)
    expect(link.write(Buffer.alloc(60), true)).toBe(false)
    expect(link.write(Buffer.alloc(60), false)).toBe(true)
    expect(link.queuedBytes).toBe(120)
    expect(link.write(Buffer.alloc(100), false)).toBe(false)
    for (const written of script.last.written) written.taken()
    expect(link.queuedBytes).toBe(0)
    expect(link.write(Buffer.alloc(5000), true)).toBe(true)
  })

  test('a connection that is gone neither counts bytes nor speaks', () => {
    const { clock, script, events, link } = setUp()
    script.last.listener.onOpen(10)
    link.write(Buffer.alloc(60), true)
    const old = script.last
    old.listener.onEnd('gone', '')
    expect(link.queuedBytes).toBe(0)
    clock.advance(20)
    script.last.listener.onOpen(10)
    link.write(Buffer.alloc(50), true)
    old.written[0]?.taken()
    old.listener.onEnd('gone', '')
    expect(link.queuedBytes).toBe(50)
    expect(events).toEqual(['open', 'gone', 'open'])
  })

  test('a new address is dialled at once when there is no connection', () => {
    const { script, link } = setUp()
    link.setAddress('b:2')
    expect(script.dialled.map((connection) => connection.address)).toEqual(['a:1', 'b:2'])
    expect(script.dialled[0]?.closed).toBe(true)
  })

  test('an address that the peer says of itself is tried in turn with the configured one, until one answers', () => {
    const { clock, script, link } = setUp()
    const fail = (): void => {
      const { length } = script.dialled
      script.last.listener.onEnd('gone', '')
      while (script.dialled.length === length) clock.advance(1)
    }
    link.hint('b:2')
    for (let round = 0; round < 4; round += 1) fail()
    expect(script.dialled.map(({ address }) => address)).toEqual(['a:1', 'b:2', 'a:1', 'b:2', 'a:1'])
    fail()
    script.last.listener.onOpen(10)
    fail()
    expect(script.dialled.slice(5).map(({ address }) => address)).toEqual(['b:2', 'b:2'])
    link.hint('a:1')
    fail()
    expect(script.last.address).toBe('a:1')
  })

  test('a wrong process that answers at one address and refuses our frames does not keep the link from the other', () => {
    const { clock, script, link } = setUp()
    link.hint('b:2')
    for (let round = 1; round < 5; round += 1) {
      script.last.listener.onOpen(10)
      script.last.listener.onEnd('refused', 'WRONG_CLUSTER')
      while (script.dialled.length === round) clock.advance(1)
    }
    expect(script.dialled.map(({ address }) => address)).toEqual(['a:1', 'b:2', 'a:1', 'b:2', 'a:1'])
  })

  test('closing leaves no timer', () => {
    const { clock, script, link } = setUp()
    link.close()
    expect(clock.pending).toBe(0)
    expect(script.last.closed).toBe(true)
    script.last.listener.onEnd('gone', '')
    expect(clock.pending).toBe(0)
  })
})
