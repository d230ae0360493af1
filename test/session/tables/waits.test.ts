import { describe, expect, test } from 'vitest'
import type { SessionId } from '../../../src/base/brand.ts'
import type { Entry } from '../../../src/codec/entry/entry.ts'
import type { Limits } from '../../../src/codec/entry/payload.ts'
import type { Value } from '../../../src/codec/value/value.ts'
import { SessionStateMachine } from '../../../src/session/session-state-machine.ts'
import { WAIT_CHAIN_MAX } from '../../../src/session/tables/wait-rows.ts'
import type { EndedWaitNotice, MachineContext, SignalOptions, WaitOptions } from '../../../src/session/user-machine.ts'
import { bareMachine, reject } from '../bare-machine.ts'
import { code, codec, Log, numbers, RECORD_BYTES, START, swapped, value } from '../log.ts'

type Input = { key?: string; value?: Value; options?: WaitOptions & SignalOptions; id?: string; times?: number }
const keyOf = (input: Value): string => (input as Input).key ?? 'k'

/** A machine whose commands are the context's functions, and that keeps every end it hears of. */
function world(limits: Partial<Limits> = {}, onWait?: (context: MachineContext, ended: EndedWaitNotice) => void) {
  const heard: (EndedWaitNotice & { now: number; index: number })[] = []
  const machine = bareMachine(
    {
      wait: (context, input) => context.wait('test', keyOf(input), (input as Input).options),
      waitOwned: (context, input) => {
        const owner = context.session?.id ?? null
        return context.wait('test', keyOf(input), { ...(input as Input).options, owner })
      },
      signal: (context, input) => {
        const { value: given = null, options } = input as Input
        return context.signal('test', keyOf(input), given, options)
      },
      cancel: (context, input) => context.cancelWait('test', (input as Input).id ?? ''),
      cancelOther: (context, input) => context.cancelWait('other', (input as Input).id ?? ''),
      both: (context, input) => [
        context.signal('test', keyOf(input), 1),
        context.wait('test', keyOf(input)),
        context.wait('test', keyOf(input)),
        context.signal('test', keyOf(input), 2),
        context.signal('test', keyOf(input), 3),
      ],
      regret: (context, input) => {
        context.signal('test', keyOf(input), 'lost')
        context.wait('test', keyOf(input), { timeoutMs: 5, owner: context.session?.id ?? null })
        context.signal('test', 'other', 'lost')
        return reject('NO')
      },
    },
    {
      onWait: (context, ended) => {
        heard.push({ ...ended, now: context.now, index: context.index })
        context.state.set(`ended/${ended.waitId}`, ended.end.kind)
        onWait?.(context, ended)
      },
    },
  )
  const log = new Log(machine, limits)
  const session = log.open('a')
  const run = (command: string, input: Input = {}, by = session) => {
    const highest = log.machine.sessionFacts(by)?.highest ?? 0
    const reply = log.request(by, highest + 1, command, { input: input as Value, lowestPendingRequestId: highest + 1 })
    log.machine.checkInvariants()
    return reply
  }
  const ends = () => heard.splice(0).map(({ waitId, end }) => [waitId, end.kind === 'signalled' ? end.value : end.kind])
  return { log, session, run, heard, ends }
}

const idOf = (index: number): SessionId => `0/1/${index}` as SessionId

describe('a wait', () => {
  test('ends with the first signal that comes, in the entry of the signal, once', () => {
    const { log, run, heard } = world()
    expect(value(run('wait'))).toBe('1-wait-1')
    expect(heard).toEqual([])
    expect(value(run('signal', { value: 'v' }))).toBe('taken')
    expect(heard).toMatchObject([
      { waitId: '1-wait-1', machine: 'test', key: 'k', owner: null, undelivered: false, index: log.entries.length },
    ])
    expect(heard[0]?.end).toEqual({ kind: 'signalled', value: 'v' })
    expect(value(run('signal', { value: 'w' }))).toBe('kept')
    expect(heard).toHaveLength(1)
  })

  test('that comes after its signal ends at once, in its own entry', () => {
    const { run, ends } = world()
    expect(value(run('signal', { value: 'v' }))).toBe('kept')
    expect(value(run('wait'))).toBe('1-wait-2')
    expect(ends()).toEqual([['1-wait-2', 'v']])
    expect(value(run('signal'))).toBe('kept')
  })

  test('and signals are first in, first out, in one command as over many', () => {
    const { run, ends } = world()
    for (const given of ['a', 'b', 'c']) run('signal', { value: given })
    for (let times = 0; times < 5; times += 1) run('wait')
    for (const given of ['d', 'e']) run('signal', { value: given })
    expect(ends().map(([, given]) => given)).toEqual(['a', 'b', 'c', 'd', 'e'])
    expect(value(run('both', { key: 'x' }))).toEqual(['kept', '1-wait-10', '1-wait-11', 'taken', 'kept'])
    expect(ends()).toEqual([
      ['1-wait-10', 1],
      ['1-wait-11', 2],
    ])
  })

  test('of another key, or of another machine, hears nothing', () => {
    const { run, ends } = world()
    run('wait', { key: 'a' })
    run('signal', { key: 'b' })
    expect(ends()).toEqual([])
    expect(value(run('cancelOther', { id: '1-wait-1' }))).toBe(false)
    run('signal', { key: 'a', value: 7 })
    expect(ends()).toEqual([['1-wait-1', 7]])
  })

  test('times out at its own time, before what comes later, and takes no signal after it', () => {
    const { log, run, heard, ends } = world()
    run('wait', { options: { timeoutMs: 100 } })
    run('wait', { options: { timeoutMs: 50 } })
    log.advance(99)
    expect(value(run('signal', { value: 'v' }))).toBe('taken')
    expect(heard.map(({ waitId, now }) => [waitId, now])).toEqual([
      ['1-wait-2', START + 50],
      ['1-wait-1', START + 99],
    ])
    expect(ends()).toEqual([
      ['1-wait-2', 'timedOut'],
      ['1-wait-1', 'v'],
    ])
    log.advance(1000)
    expect(value(run('signal'))).toBe('kept')
    expect(ends()).toEqual([])
    expect(log.machine.counts.timers).toBe(0)
  })

  test('ends with its owner, expired or closed, and at once when its owner is no live session', () => {
    const { log, run, ends, heard } = world()
    const other = log.open('b')
    run('waitOwned', { options: { timeoutMs: 1000 } }, other)
    run('waitOwned', { key: 'x' }, other)
    run('wait', { key: 'x' })
    log.append('CloseSession', { ...numbers(other), epoch: 0, secretHash: new Uint8Array(0) })
    expect(heard.map(({ owner }) => owner)).toEqual([idOf(other), idOf(other)])
    expect(ends()).toEqual([
      ['1-wait-1', 'ownerEnded'],
      ['1-wait-2', 'ownerEnded'],
    ])
    expect(log.machine.counts.timers).toBe(0)
    run('wait', { options: { owner: idOf(other) } })
    expect(ends()).toEqual([['1-wait-4', 'ownerEnded']])
    const third = log.open('c')
    run('waitOwned', {}, third)
    log.advance(40_000)
    log.append('KeepAlive', { sessions: [numbers(1)] })
    const renewedAtIndex = log.machine.sessionFacts(third)?.renewedAtIndex ?? 0
    log.append('ExpireSessions', { sessions: [{ ...numbers(third), renewedAtIndex }] })
    expect(ends()).toEqual([['1-wait-5', 'ownerEnded']])
  })

  test('that is cancelled is gone: no end, no timer, no signal', () => {
    const { log, run, ends } = world()
    run('wait', { options: { timeoutMs: 10 } })
    expect(value(run('cancel', { id: '1-wait-1' }))).toBe(true)
    expect(value(run('cancel', { id: '1-wait-1' }))).toBe(false)
    log.advance(1000)
    expect(value(run('signal'))).toBe('kept')
    expect(ends()).toEqual([])
  })

  test('of a rejected command was never asked for, and what it signalled is not sent', () => {
    const { log, run, ends } = world()
    run('wait')
    run('signal', { key: 'other', value: 'first' })
    const before = [...swapped(log.machine)].map(([key]) => key)
    expect(before.filter((key) => key.startsWith('session/wait/') || key.startsWith('session/signal/'))).toHaveLength(2)
    expect(code(run('regret'))).toBe('NO')
    expect(ends()).toEqual([])
    expect(log.machine.counts.timers).toBe(0)
    expect(value(run('signal', { value: 'v' }))).toBe('taken')
    // The numbers that it took are given again.
    expect(value(run('wait', { key: 'other' }))).toBe('1-wait-3')
    expect(ends()).toEqual([
      ['1-wait-1', 'v'],
      ['1-wait-3', 'first'],
    ])
  })
})

describe('the end of a wait', () => {
  test('whose hook throws is over all the same: its writes are dropped, recorded and alerted', () => {
    const { log, run, heard } = world({}, () => {
      throw new Error('a bug')
    })
    run('wait')
    run('signal')
    expect(heard).toHaveLength(1)
    const rows = swapped(log.machine)
    expect([...rows.keys()].filter((key) => key.startsWith('user/'))).toEqual([])
    expect([...rows.keys()].filter((key) => key.startsWith('session/a'))).toHaveLength(2)
    expect(log.reports).toMatchObject([
      { part: { machine: 'test', kind: 'hook', name: 'onWait' }, reason: 'EXCEPTION' },
    ])
    run('signal')
    expect(heard).toHaveLength(1)
  })

  test('may end others, to a bounded depth: a hook that waits for what it signals cannot go on for ever', () => {
    const { log, run, heard } = world({}, (context, { key }) => {
      context.wait('test', key)
      context.signal('test', key, null)
    })
    run('wait')
    run('signal')
    expect(heard).toHaveLength(WAIT_CHAIN_MAX)
    expect(log.reports).toEqual([])
    log.machine.checkInvariants()
  })

  test('goes to its owner as a server request, and to the hook when the owner has ended or has no room', () => {
    const { log, session, run, heard } = world({ outboxCountMax: 1 })
    const deliver = { type: 'paid' }
    run('waitOwned', { options: { deliver } })
    run('waitOwned', { key: 'x', options: { deliver, timeoutMs: 10 } })
    run('signal', { value: 5 })
    expect(log.machine.outbox(session, 0, 10)).toMatchObject([
      { type: 'paid', payload: { waitId: '1-wait-1', key: 'k', end: { kind: 'signalled', value: 5 } } },
    ])
    expect(heard).toEqual([])
    log.advance(10)
    log.empty('Tick')
    expect(heard).toMatchObject([{ waitId: '1-wait-2', end: { kind: 'timedOut' }, undelivered: true }])
    run('waitOwned', { options: { deliver } })
    log.append('CloseSession', { ...numbers(session), epoch: 0, secretHash: new Uint8Array(0) })
    expect(heard[1]).toMatchObject({ end: { kind: 'ownerEnded' }, undelivered: true })
  })
})

describe('signals that nobody waits for', () => {
  const waits = { waitersPerKeyMax: 2, waitersPerSessionMax: 3, signalsPerKeyMax: 2, signalRetentionMaxMs: 1000 }

  test('are kept to a number, beyond which they are refused, or the oldest goes, or the newest is replaced', () => {
    const taken = (overflow: 'reject' | 'dropOldest' | 'coalesce') => {
      const { run, ends } = world({ waits })
      const fates = [1, 2, 3].map((given) => value(run('signal', { value: given, options: { overflow } })))
      for (let times = 0; times < 2; times += 1) run('wait')
      return [fates[2], ...ends().map(([, given]) => given)]
    }
    expect(taken('reject')).toEqual(['refused', 1, 2])
    expect(taken('dropOldest')).toEqual(['kept', 2, 3])
    expect(taken('coalesce')).toEqual(['kept', 1, 3])
  })

  test('may be kept to a smaller number: the latest one alone', () => {
    const { run, ends } = world()
    for (const given of [1, 2, 3]) run('signal', { value: given, options: { overflow: 'coalesce', keptMax: 1 } })
    run('wait')
    run('wait')
    expect(ends()).toEqual([['1-wait-4', 3]])
  })

  test('are kept for their retention, at most the limit, on the clock of entries', () => {
    const { log, run, ends } = world({ waits })
    run('signal', { value: 'short', options: { retentionMs: 10 } })
    run('signal', { value: 'long', options: { retentionMs: 1_000_000 } })
    log.advance(10)
    run('wait')
    expect(ends()).toEqual([['1-wait-3', 'long']])
    run('signal', { key: 'x', value: 'long', options: { retentionMs: 1_000_000 } })
    log.advance(1000)
    run('wait', { key: 'x' })
    expect(ends()).toEqual([])
    expect(value(run('signal', { key: 'x' }))).toBe('taken')
  })

  test('make room by their age before anything is refused, and leave by and by', () => {
    const { log, run } = world({ waits })
    for (let at = 0; at < 2; at += 1) run('signal', { options: { retentionMs: 5 } })
    log.advance(5)
    expect(value(run('signal'))).toBe('kept')
    for (let at = 0; at < 100; at += 1) run('signal', { key: `k${at}` })
    log.machine.swapDirty()
    log.advance(2000)
    const gone = () =>
      [...swapped(log.machine)].filter(([key, row]) => key.startsWith('session/signal/') && row === undefined)
    log.empty('Tick')
    expect(gone()).toHaveLength(64)
    log.empty('Tick')
    expect(gone()).toHaveLength(37)
    log.machine.checkInvariants()
  })

  test('and waiters are limited, per key and per owner, by limits that the log says', () => {
    const { log, run } = world({ waits })
    const other = log.open('b')
    run('wait')
    run('wait')
    expect(value(run('wait'))).toBe(null)
    for (const key of ['x', 'y', 'z']) run('waitOwned', { key }, other)
    expect(value(run('waitOwned', { key: 'u' }, other))).toBe(null)
    expect(value(run('wait', { key: 'u' }))).not.toBe(null)
  })
})

test('what cannot be meant is a machine error, and a migration neither waits nor signals', () => {
  const { run } = world()
  expect(code(run('wait', { options: { timeoutMs: 1.5 } }))).toBe('MACHINE_ERROR')
  expect(code(run('wait', { options: { timeoutMs: 1e15 } }))).toBe('MACHINE_ERROR')
  expect(code(run('wait', { options: { deliver: { type: 'x' } } }))).toBe('MACHINE_ERROR')
  expect(code(run('signal', { options: { overflow: 'no' as never } }))).toBe('MACHINE_ERROR')
  const machine = bareMachine({}, { migrate: (context) => void context.wait('test', 'k') })
  const log = new Log(machine)
  for (const to of [1, 2]) log.append('AdvanceVersion', { machines: [{ machine: 'test', to, schema: '' }] })
  expect(log.machine.activeVersion('test')).toBe(1)
  expect(log.reports).toMatchObject([{ reason: 'EXCEPTION' }])
})

test('a trial of a command sees waits and signals as they are, and leaves them so', () => {
  const { log, run, ends } = world()
  run('wait')
  run('signal', { key: 'x', value: 1 })
  const before = log.machine.stateHash()
  const tried = (command: string, input: Input) =>
    log.machine.tryCommand({
      machine: 'test',
      command,
      input: input as Value,
      principal: 'user:t',
      roles: [],
      now: START,
    })
  expect(tried('signal', {}).outcome).toEqual({ kind: 'value', value: 'taken' })
  expect(tried('wait', { key: 'x' }).outcome).toEqual({ kind: 'value', value: '1-wait-3' })
  expect(tried('cancel', { id: '1-wait-1' }).outcome).toEqual({ kind: 'value', value: true })
  expect(tried('both', { key: 'x' }).outcome).toMatchObject({ value: ['kept', '1-wait-4', '1-wait-5', 'kept', 'kept'] })
  expect(log.machine.stateHash()).toBe(before)
  log.machine.checkInvariants()
  run('signal', { value: 2 })
  expect(ends()).toEqual([['1-wait-1', 2]])
})

test('a cluster that never waits keeps the meta row, limits and hashes that it had', () => {
  const log = new Log(bareMachine({}))
  log.open('a')
  const rows = swapped(log.machine)
  expect(Object.keys(rows.get('session/meta') as object)).not.toContain('waitNext')
  expect(Object.keys(rows.get('session/limits') as object)).not.toContain('waits')
  const restored = new SessionStateMachine(bareMachine({}), codec)
  for (const [key, row] of rows) restored.restoreRow(key, row as Value)
  restored.restored({ index: log.entries.length, term: 1, lease: 0, now: START })
  restored.checkInvariants()
})

test('a restored replica keeps signals of a key whose earlier ones were past their time', () => {
  const { log, run } = world()
  run('signal', { options: { retentionMs: 10 } })
  const rows = swapped(log.machine)
  const restored = new SessionStateMachine(bareMachine({ signal: (context) => context.signal('test', 'k', 1) }), codec)
  for (const [key, row] of rows) restored.restoreRow(key, row as Value)
  restored.restored({ index: log.entries.length, term: 1, lease: 0, now: START })
  log.advance(20)
  run('signal', { value: 1 })
  restored.apply(log.entries.at(-1) as Entry, RECORD_BYTES)
  restored.checkInvariants()
})
