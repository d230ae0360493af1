import { describe, expect, test } from 'vitest'
import { hubOn, Script } from '../world.ts'

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

  test('P-22 a server that is silent, cut off or talks nonsense is given up, with growing pauses', () => {
    const script = new Script()
    hubOn(script.environment, ['a:1', 'b:1'])
    script.clock.advance(2_020)
    expect(script.dialled).toEqual(['a:1', 'b:1'])
    script.raw(Buffer.from([9]))
    script.clock.advance(20)
    expect(script.dialled.length).toBe(3)
    script.cut()
    script.clock.advance(40)
    expect(script.dialled.length).toBe(4)
    script.say({ kind: 'failed', code: 'NODE_STOPPED', message: '' })
    script.clock.advance(80)
    expect(script.dialled.length).toBe(5)
  })
})
