import { describe, expect, test } from 'vitest'
import type { ChannelListener } from '../../../src/client/connection/ports.ts'
import { MultiSession } from '../../../src/client/session/multi-session.ts'
import { greetingOf, hubOn, openOn, run, Script } from '../world.ts'

describe('finding the leader', () => {
  test('P-02 P-04 a node that does not lead names the one that does, and the library goes there', () => {
    const script = new Script()
    const hub = hubOn(script.environment, ['a:1', 'b:1'])
    script.greet('a', 'c', 'c:9')
    script.greet('c')
    expect(script.dialled).toEqual(['a:1', 'c:9'])
    expect(hub.ready).toBe(true)
    script.say({ kind: 'leaderChanged', leader: 'd', leaderAddress: 'd:9' })
    expect(hub.ready).toBe(false)
    expect(script.dialled.at(-1)).toBe('d:9')
  })

  test('a node that knows no leader is asked to wait, then the next endpoint is tried', () => {
    const script = new Script()
    const hub = hubOn(script.environment, ['a:1', 'b:1'])
    script.greet('a', '', '')
    script.clock.advance(400)
    script.say({ kind: 'leaderChanged', leader: 'a', leaderAddress: 'a:1' })
    expect([hub.ready, script.dialled.length]).toEqual([true, 1])
    script.say({ kind: 'leaderChanged', leader: '', leaderAddress: '' })
    script.clock.advance(600)
    expect(script.dialled).toEqual(['a:1', 'b:1'])
  })

  test('nodes that name each other do not make a hot loop', () => {
    const script = new Script()
    hubOn(script.environment, ['a:1'])
    for (let round = 0; round < 50; round += 1) script.greet('a', 'b', 'b:1')
    expect(script.dialled.length).toBeLessThan(6)
  })

  test('P-22 a server that is cut off or talks nonsense is given up, with growing pauses', () => {
    const script = new Script()
    hubOn(script.environment, ['a:1'])
    script.raw(Buffer.from([9]))
    script.clock.advance(10)
    expect(script.dialled.length).toBe(2)
    script.cut()
    script.clock.advance(5)
    expect(script.dialled.length).toBe(2)
    script.clock.advance(15)
    expect(script.dialled.length).toBe(3)
    script.say({ kind: 'failed', code: 'NODE_STOPPED', message: '' })
    script.clock.advance(15)
    expect(script.dialled.length).toBe(3)
    script.clock.advance(25)
    expect(script.dialled.length).toBe(4)
  })

  test('P-22 while a server is silent the next one is asked as well, and after two seconds it is given up', () => {
    const script = new Script()
    const hub = hubOn(script.environment, ['a:1', 'b:1'])
    script.clock.advance(499)
    expect(script.dialled).toEqual(['a:1'])
    script.clock.advance(1)
    expect(script.open).toEqual(['a:1', 'b:1'])
    script.clock.advance(1_499)
    expect(script.open).toEqual(['a:1', 'b:1'])
    script.clock.advance(11)
    expect(script.open).toEqual(['b:1', 'a:1'])
    // Whoever answers first is taken, and nobody else is kept.
    script.sayAt('a:1', greetingOf('a', 'a', 'a:1'))
    expect([hub.ready, script.open]).toEqual([true, ['a:1']])
  })

  test('a node that names a frozen leader is kept, and says at once who leads instead', () => {
    const script = new Script()
    const hub = hubOn(script.environment, ['a:1'])
    script.greet('a', 'b', 'b:1')
    expect(script.open).toEqual(['a:1', 'b:1'])
    script.clock.advance(300)
    script.sayAt('a:1', { kind: 'leaderChanged', leader: 'c', leaderAddress: 'c:1' })
    script.sayAt('c:1', greetingOf('c', 'c', 'c:1'))
    expect([hub.ready, script.open]).toEqual([true, ['c:1']])
  })

  test('a leader that attaches and then cuts the stream is dialled less and less often', () => {
    const script = new Script()
    openOn(hubOn(script.environment, ['a:1']))
    const attached = {
      kind: 'attached',
      channel: 1,
      epoch: 5,
      nextRequestId: 1,
      acknowledged: 0,
      timeoutMs: 30_000,
    } as const
    let attaches = 0
    while (script.clock.monotonicMs() < 3_000) {
      script.clock.advance(5)
      if (script.open.length === 0) continue
      script.greet('a')
      if (attaches === 0)
        script.say({ kind: 'opened', channel: 1, group: 0, incarnation: 1, index: 4, existing: false })
      script.say(attached)
      script.cut()
      attaches += 1
    }
    expect(attaches).toBeLessThan(15)
  })

  test('a leader that was there for long is dialled again at once, whatever was tried to find it', () => {
    const script = new Script()
    const hub = hubOn(script.environment, ['a:1'])
    for (let failure = 0; failure < 8; failure += 1) {
      script.cut()
      script.clock.advance(1000)
    }
    script.greet('a')
    script.clock.advance(1001)
    for (const end of ['cut', 'step down']) {
      expect([end, hub.ready]).toEqual([end, true])
      const before = script.dialled.length
      if (end === 'step down') script.say({ kind: 'leaderChanged', leader: '', leaderAddress: '' })
      script.cut()
      script.clock.advance(10)
      expect([end, script.dialled.length]).toEqual([end, before + 1])
      for (let failure = 0; failure < 8; failure += 1) {
        script.cut()
        script.clock.advance(1000)
      }
      script.greet('a')
      script.clock.advance(1001)
    }
  })

  test('a leader that is lost is looked for at two other endpoints at once, and not at its own', () => {
    const script = new Script()
    const hub = hubOn(script.environment, ['a:1', 'b:1', 'c:1'])
    script.greet('a')
    script.clock.advance(1001)
    script.cutAt('a:1')
    expect(script.dialled).toEqual(['a:1', 'b:1', 'c:1'])
    script.greet('c', '', '')
    script.say({ kind: 'leaderChanged', leader: 'c', leaderAddress: 'c:1' })
    expect([hub.ready, script.dialled.length]).toEqual([true, 3])
    // So soon again: at the pace of failures.
    script.cutAt('c:1')
    expect(script.dialled.length).toBe(3)
    script.clock.advance(20)
    expect(script.dialled.length).toBe(4)
  })

  test('a leader that steps down is kept, and two others are asked at once', () => {
    const script = new Script()
    hubOn(script.environment, ['a:1', 'b:1', 'c:1'])
    script.greet('a')
    script.clock.advance(1001)
    script.say({ kind: 'leaderChanged', leader: '', leaderAddress: '' })
    expect(script.dialled).toEqual(['a:1', 'b:1', 'c:1'])
    expect(script.open).toHaveLength(3)
  })

  describe('a leader that names itself once more hands over', () => {
    const handingOver = { kind: 'leaderChanged', leader: 'a', leaderAddress: 'a:1' } as const

    test('others are asked while it is kept, and who is elected is taken without another dial', () => {
      const script = new Script()
      const hub = hubOn(script.environment, ['a:1', 'b:1', 'c:1'])
      script.greet('a')
      script.say(handingOver)
      expect([hub.ready, script.dialled]).toEqual([true, ['a:1', 'b:1', 'c:1']])
      // They name the one that still leads: it is not dialled again, and that it is heard ends nothing.
      script.sayAt('b:1', greetingOf('b', 'a', 'a:1'))
      script.sayAt('c:1', greetingOf('c', 'a', 'a:1'))
      script.sayAt('a:1', { kind: 'pong', channel: 0 })
      expect([hub.ready, script.open]).toEqual([true, ['a:1', 'b:1', 'c:1']])
      script.sayAt('a:1', { kind: 'leaderChanged', leader: '', leaderAddress: '' })
      expect(hub.ready).toBe(false)
      script.sayAt('c:1', { kind: 'leaderChanged', leader: 'c', leaderAddress: 'c:1' })
      expect([hub.ready, script.open, script.dialled.length]).toEqual([true, ['c:1'], 3])
    })

    test('where nobody takes over the others are let go, and it leads on', () => {
      const script = new Script()
      const hub = hubOn(script.environment, ['a:1', 'b:1', 'c:1'])
      script.greet('a')
      script.say(handingOver)
      script.clock.advance(500)
      expect([hub.ready, script.open]).toEqual([true, ['a:1']])
      script.clock.advance(5_000)
      expect([script.open, script.dialled.length]).toEqual([['a:1'], 3])
    })

    test('it is lost before anybody is elected: the search goes on until somebody is', () => {
      const script = new Script()
      const hub = hubOn(script.environment, ['a:1', 'b:1', 'c:1'])
      script.greet('a')
      script.say(handingOver)
      script.sayAt('b:1', greetingOf('b', 'a', 'a:1'))
      script.cutAt('a:1')
      script.clock.advance(600)
      expect(script.open).toContain('b:1')
      script.sayAt('b:1', { kind: 'leaderChanged', leader: 'b', leaderAddress: 'b:1' })
      expect([hub.ready, script.open]).toEqual([true, ['b:1']])
    })
  })

  test('a hub that is closed from onLeader takes no other leader', () => {
    const script = new Script()
    const { environment } = script
    const heard: (string | null)[] = []
    const hub: MultiSession = new MultiSession({
      environment,
      endpoints: ['a:1', 'b:1'],
      onLeader: (node) => {
        heard.push(node)
        if (node === null) hub.close()
      },
    })
    const { core } = openOn(hub)
    script.greet('a')
    script.frozen = true
    run(core, 'echo', 1)
    script.clock.advance(600)
    script.sayAt('b:1', greetingOf('b', 'b', 'b:1'))
    script.clock.advance(5000)
    expect([heard, hub.ready, script.open]).toEqual([['a', null], false, []])
  })

  test('an address that cannot be dialled is a failure like any other', () => {
    const script = new Script()
    const { dial } = script.environment
    const environment = {
      ...script.environment,
      dial: (endpoint: string, listener: ChannelListener) => {
        if (endpoint === 'no address') throw new Error('no address')
        return dial(endpoint, listener)
      },
    }
    const hub = hubOn(environment, ['no address', 'a:1'])
    expect(hub.lastFailure).toContain('no address cannot be dialled')
    script.clock.advance(10)
    script.greet('a')
    expect(hub.ready).toBe(true)
  })
})
