import { describe, expect, test } from 'vitest'
import { counter } from './bare-machine.ts'
import { code, Log, value } from './log.ts'

describe('a client request', () => {
  test('FR-001 FR-003 FR-019 S-01 PC-2 a new id calls the user machine once and its response is returned', () => {
    const user = counter()
    const log = new Log(user)
    const session = log.open('a')
    expect(value(log.request(session, 1, 'increment'))).toBe(1)
    expect(user.calls).toEqual(['increment'])
  })

  test('FR-004 FR-007 FR-008 S-02 PC-1 INV-1 a duplicate is answered from the cache and the user machine is not called', () => {
    const user = counter()
    const log = new Log(user)
    const session = log.open('a')
    const first = log.request(session, 1, 'increment')
    const again = log.request(session, 1, 'increment')
    expect(value(again)).toEqual(value(first))
    expect(again).toMatchObject({ replayed: true })
    expect(user.calls).toEqual(['increment'])
    expect(code(log.request(session, 1, 'emit'))).toBe('REQUEST_CONFLICT')
  })
})
