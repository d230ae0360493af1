import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Value } from '../../src/codec/value/value.ts'
import { mount } from '../../src/machine/index.ts'
import { register, REGISTER_BYTES_MAX } from '../../src/machines/index.ts'
import { codec, SessionWorld } from './session-world.ts'
import { sample } from '../effort.ts'

const mounted = mount([register], codec)

function world() {
  const made = new SessionWorld(mounted.userMachine)
  const session = made.open('user:a')
  return (command: string, input: Value) => {
    const outcome = made.submit(mounted, session, 'register', command, input)
    return typeof outcome === 'string' ? outcome : outcome.kind === 'value' ? outcome.value : outcome.code
  }
}

describe('the register', () => {
  test('FR-001 FR-005 holds what was written last, text or bytes', () => {
    const run = world()
    expect(run('read', { key: 'a' })).toBeNull()
    expect(run('write', { key: 'a', value: 'x' })).toBeNull()
    expect(run('read', { key: 'a' })).toBe('x')
    run('write', { key: 'a', value: new Uint8Array([1, 2]) })
    expect(run('read', { key: 'a' })).toEqual(new Uint8Array([1, 2]))
    expect(run('read', { key: 'b' })).toBeNull()
  })
  test('a query reads without an entry', () => {
    const made = new SessionWorld(mounted.userMachine)
    made.apply(made.open('user:a'), 'register', 'write', { key: 'a', value: 'x' })
    const applied = made.state.appliedIndex
    expect(made.query('register', 'read', { key: 'a' })).toEqual({ kind: 'value', value: 'x' })
    expect(made.query('register', 'read', { key: 'b' })).toEqual({ kind: 'value', value: null })
    expect(made.state.appliedIndex).toBe(applied)
  })
  test('UPC-1 cas sets exactly when the register holds what is expected, null being nothing', () => {
    const some = fc.constantFrom(null, 'x', 'y', new Uint8Array([1]), new Uint8Array([2]), new Uint8Array([1, 2]))
    fc.assert(
      fc.property(fc.array(fc.tuple(some, some), { maxLength: 12 }), (swaps) => {
        const run = world()
        let model: string | Uint8Array | null = null
        for (const [from, to] of swaps) {
          const equal: boolean = String(from) === String(model) && typeof from === typeof model
          expect(run('cas', { key: 'k', from, to })).toBe(equal)
          if (equal) model = to
          expect(run('read', { key: 'k' })).toEqual(model)
        }
      }),
      { numRuns: sample(40) },
    )
  })
  test.each([
    ['a'.repeat(REGISTER_BYTES_MAX), true],
    ['a'.repeat(REGISTER_BYTES_MAX + 1), false],
    ['é'.repeat(REGISTER_BYTES_MAX / 2), true],
    [`${'é'.repeat(REGISTER_BYTES_MAX / 2)}a`, false],
    ['€'.repeat(Math.ceil(REGISTER_BYTES_MAX / 3)), false],
    ['😀'.repeat(REGISTER_BYTES_MAX / 4), true],
    [`${'😀'.repeat(REGISTER_BYTES_MAX / 4)}a`, false],
    [new Uint8Array(REGISTER_BYTES_MAX), true],
    [new Uint8Array(REGISTER_BYTES_MAX + 1), false],
  ])('a value has at most 64 KiB (case %#)', (value, fits) => {
    expect(world()('write', { key: 'k', value })).toBe(fits ? null : 'VALIDATION_ERROR')
  })
  test('what does not fit its schema is refused before the log', () => {
    const run = world()
    expect(run('write', { key: 'k', value: 1 })).toBe('VALIDATION_ERROR')
    expect(run('write', { key: '', value: 'x' })).toBe('VALIDATION_ERROR')
    expect(run('write', { key: 'k', value: 'x', ttl: 5 })).toBe('VALIDATION_ERROR')
    expect(run('put', { key: 'k', value: 'x' })).toBe('UNKNOWN_COMMAND')
  })
})
