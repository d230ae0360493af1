import { describe, expect, test } from 'vitest'
import type { SessionId } from '../../../src/base/brand.ts'
import type { Limits } from '../../../src/codec/entry/payload.ts'
import type { Value } from '../../../src/codec/value/value.ts'
import { WAIT_ENDS_MAX } from '../../../src/session/tables/wait-rows.ts'
import { bareMachine } from '../bare-machine.ts'
import { Log, numbers, value } from '../log.ts'

/** A lock that whoever ends gives to the one who waits longest. */
function lock(limits: Partial<Limits> = {}) {
  const heard: string[] = []
  const machine = bareMachine(
    {
      wait: (context) => context.wait('test', 'lock', { owner: context.session?.id ?? null }),
      waitFor: (context, input) => context.wait('test', 'lock', { owner: input as SessionId }),
      waitMany: (context, input) => {
        for (let count = 0; count < Number(input); count += 1)
          context.wait('test', `many ${count}`, { owner: context.session?.id ?? null })
        return null
      },
      signal: (context) => context.signal('test', 'lock', null),
      signalMany: (context, input) => {
        const fates = Array.from({ length: Number(input) }, (_, count) => context.signal('test', `many ${count}`, null))
        return fates.filter((fate) => fate === 'taken').length
      },
    },
    {
      onSessionExpired: (context, session) => {
        context.signal('test', 'lock', session.id)
      },
      onWait: (context, { owner, end, key }) => {
        if (key !== 'lock') return
        const there = owner !== null && context.emit(owner, 'yours', null)
        heard.push(`${owner} ${end.kind}${there ? '' : ', gone'}`)
      },
    },
  )
  const log = new Log(machine, limits)
  const overdue = (): Value & object =>
    log.machine.overdueSessions({ lease: log.lease, readySince: 0 }, 10).map((found) => ({
      ...numbers(found.index),
      renewedAtIndex: found.renewedAtIndex,
    }))
  const expireAll = () => {
    log.advance(30_000)
    const applied = log.append('ExpireSessions', { sessions: overdue() as never })
    log.machine.checkInvariants()
    return applied.ended.map(({ session }) => session)
  }
  return { log, heard, expireAll, overdue }
}

describe('a wait with an owner', () => {
  test('of several sessions that end in one entry, none is handed anything once it is gone', () => {
    const { log, heard, expireAll } = lock()
    const [a, b] = [log.open('a'), log.open('b')]
    const c = log.open('c', { timeoutMs: 600_000 })
    log.request(b, 1, 'wait')
    log.request(c, 1, 'wait')
    log.advance(1000)
    expect(expireAll()).toEqual([a, b])
    expect(heard).toEqual([`0/1/${b} signalled`, `0/1/${c} signalled`])
  })

  test('ends before the hook of its owner, whose signals are for those who are still there', () => {
    const { log, heard, expireAll } = lock()
    const a = log.open('a')
    const b = log.open('b', { timeoutMs: 600_000 })
    log.request(a, 1, 'wait')
    log.request(b, 1, 'wait')
    expect(expireAll()).toEqual([a])
    expect(heard).toEqual([`0/1/${a} ownerEnded, gone`, `0/1/${b} signalled`])
  })

  test('ends with it however its id was written', () => {
    const { log, heard } = lock()
    const [a, b] = [log.open('a'), log.open('b')]
    expect(value(log.request(a, 1, 'waitFor', { input: `0/1/00${b}` }))).toBe('1-wait-1')
    log.machine.checkInvariants()
    log.append('CloseSession', { ...numbers(b), epoch: 0, secretHash: new Uint8Array(0) })
    log.machine.checkInvariants()
    expect(heard).toEqual([`0/1/${b} ownerEnded, gone`])
  })

  test('leaves other sessions to a later entry where there are very many', () => {
    const many = { waitersPerKeyMax: 10, waitersPerSessionMax: 1100, signalsPerKeyMax: 1, signalRetentionMaxMs: 1000 }
    const { log, expireAll } = lock({ waits: many })
    const [a, b] = [log.open('a'), log.open('b')]
    for (const session of [a, b]) log.request(session, 1, 'waitMany', { input: 1100 })
    expect(expireAll()).toEqual([a])
    expect(expireAll()).toEqual([b])
  })
})

test('a command brings a bounded number of ends, and says of each signal beyond that there is no room', () => {
  const { log } = lock({
    waits: { waitersPerKeyMax: 10, waitersPerSessionMax: 5000, signalsPerKeyMax: 1, signalRetentionMaxMs: 1000 },
  })
  const session = log.open('a')
  log.request(session, 1, 'waitMany', { input: WAIT_ENDS_MAX + 10 })
  expect(value(log.request(session, 2, 'signalMany', { input: WAIT_ENDS_MAX + 10 }))).toBe(WAIT_ENDS_MAX)
  log.machine.checkInvariants()
  expect(value(log.request(session, 3, 'signalMany', { input: WAIT_ENDS_MAX + 10 }))).toBe(10)
})
