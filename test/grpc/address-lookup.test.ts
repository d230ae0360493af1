import type { LookupAddress } from 'node:dns'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { AddressLookup } from '../../src/grpc/address-lookup.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

const V4 = (address: string): LookupAddress => ({ address, family: 4 })

/** Lookups that end when the test says so. */
class Resolver {
  readonly asked: string[] = []
  private readonly open = new Map<string, (error: Error | null, addresses: readonly LookupAddress[]) => void>()
  readonly lookup = new AddressLookup((name, done) => {
    this.asked.push(name)
    expect(this.open.has(name)).toBe(false)
    this.open.set(name, done)
    this.mostOpen = Math.max(this.mostOpen, this.open.size)
  })
  mostOpen = 0

  answer(name: string, address: string | null): void {
    const done = this.open.get(name)
    this.open.delete(name)
    if (address === null) done?.(new Error(`ENOTFOUND ${name}`), [])
    else done?.(null, [V4(address)])
  }

  /** What a dial hears of the name, as it comes. */
  ask(name: string): { heard: string[]; cancel(): void } {
    const heard: string[] = []
    const { cancel } = this.lookup.addresses(name, (error, addresses) => {
      heard.push(error === null ? addresses.map(({ address }) => address).join() : error.message)
    })
    return { heard, cancel }
  }
}

describe('names of peers', () => {
  test('one lookup per name at a time, however often it is dialled', () => {
    const resolver = new Resolver()
    const asks = Array.from({ length: 20 }, () => resolver.ask('a'))
    expect(resolver.asked).toEqual(['a'])
    resolver.answer('a', '10.0.0.1')
    expect(asks.map(({ heard }) => heard)).toEqual(Array(20).fill(['10.0.0.1']))
  })

  test('two names that hang on a cold start keep a third one waiting for a second, not for ever', () => {
    const resolver = new Resolver()
    const [, , good] = ['hangs1', 'hangs2', 'good', 'later'].map((name) => resolver.ask(name))
    vi.advanceTimersByTime(999)
    expect(resolver.asked).toEqual(['hangs1', 'hangs2'])
    vi.advanceTimersByTime(1)
    expect(resolver.asked).toEqual(['hangs1', 'hangs2', 'good'])
    resolver.answer('good', '10.0.0.1')
    expect(good?.heard).toEqual(['10.0.0.1'])
    expect(resolver.asked.slice(3)).toEqual(['later'])
    // One that is known to hang gets no third thread, and neither does a fourth name once three hang.
    resolver.answer('later', '10.0.0.2')
    for (const name of ['hangs3', 'hangs4']) resolver.ask(name)
    vi.advanceTimersByTime(4500)
    expect(resolver.asked.slice(4)).toEqual(['hangs3'])
    resolver.answer('hangs1', null)
    resolver.ask('hangs1')
    expect(resolver.asked.slice(5)).toEqual(['hangs4'])
    expect(resolver.mostOpen).toBe(3)
  })

  test('a name that hangs leaves another its thread: names known to hang share one', () => {
    const resolver = new Resolver()
    for (const name of ['hangs1', 'hangs2', 'good']) resolver.ask(name)
    expect(resolver.asked).toEqual(['hangs1', 'hangs2'])
    vi.advanceTimersByTime(1000)
    expect(resolver.asked.slice(2)).toEqual(['good'])
    resolver.answer('good', '10.0.0.1')
    vi.advanceTimersByTime(3000)
    resolver.answer('hangs1', null)
    resolver.answer('hangs2', null)
    resolver.mostOpen = 0
    // From now on those that hang wait for each other, and for nobody else.
    for (let round = 0; round < 10; round += 1) {
      const before = resolver.asked.length
      for (const name of ['hangs1', 'hangs2']) resolver.ask(name)
      const { heard } = resolver.ask('good')
      expect(resolver.asked.slice(before)).toContain('good')
      resolver.answer('good', `10.0.0.${round}`)
      expect(heard).toEqual([`10.0.0.${round}`])
      for (const name of ['hangs1', 'hangs2']) {
        vi.advanceTimersByTime(4000)
        resolver.answer(name, null)
      }
    }
    expect(resolver.mostOpen).toBe(2)
  })

  test('the last good addresses are taken while a lookup hangs, and when it fails', () => {
    const resolver = new Resolver()
    resolver.ask('a')
    resolver.answer('a', '10.0.0.1')
    const hanging = resolver.ask('a')
    vi.advanceTimersByTime(249)
    expect(hanging.heard).toEqual([])
    vi.advanceTimersByTime(1)
    expect(hanging.heard).toEqual(['10.0.0.1'])
    const failing = resolver.ask('a')
    resolver.answer('a', null)
    expect(failing.heard).toEqual(['10.0.0.1'])
    const moved = resolver.ask('a')
    resolver.answer('a', '10.0.0.2')
    expect(moved.heard).toEqual(['10.0.0.2'])
    vi.advanceTimersByTime(60_000)
    expect([hanging.heard.length, failing.heard.length, moved.heard.length]).toEqual([1, 1, 1])
  })

  test('a name never resolved ends in an error in time, and again when its lookup says so', () => {
    const resolver = new Resolver()
    const late = resolver.ask('a')
    vi.advanceTimersByTime(5000)
    expect(late.heard).toEqual(['the lookup of a has not ended within 5000 ms'])
    const failed = resolver.ask('a')
    resolver.answer('a', null)
    expect(failed.heard).toEqual(['ENOTFOUND a'])
  })

  test('who has gone hears nothing, leaves no timer, and its lookup does not begin', () => {
    const resolver = new Resolver()
    const gone = ['a', 'b', 'c'].map((name) => resolver.ask(name))
    for (const { cancel } of gone) cancel()
    resolver.answer('a', '10.0.0.1')
    resolver.answer('b', '10.0.0.1')
    expect(resolver.asked).toEqual(['a', 'b'])
    expect(gone.flatMap(({ heard }) => heard)).toEqual([])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('localhost is looked up nowhere', () => {
    const resolver = new Resolver()
    const { heard } = resolver.ask('localhost')
    vi.advanceTimersByTime(1)
    expect(heard).toEqual(['127.0.0.1,::1'])
    expect(resolver.asked).toEqual([])
  })
})
