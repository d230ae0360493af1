import { describe, expect, test } from 'vitest'
import type { EntryKind } from '../../../src/codec/entry/entry.ts'
import { SessionStateMachine } from '../../../src/session/session-state-machine.ts'
import type { LimboRefusal } from '../../../src/session/limbo/limbo-refusal.ts'
import { codec, Log, numbers, RECORD_BYTES, secret, swapped } from '../log.ts'
import { follow, limboMachine, rowsOf, TIGHT } from './limbo-machine.ts'

/** A log of which the last entries are in limbo: `machine` has applied those before. */
function limboOf(prepare: (log: Log, session: number) => void, entries: (log: Log, session: number) => void) {
  const log = new Log(limboMachine(), TIGHT)
  const session = log.open('a', { roles: ['shipper'] })
  prepare(log, session)
  const machine = new SessionStateMachine(limboMachine(), codec, {})
  for (const entry of log.entries) machine.apply(entry, RECORD_BYTES)
  const from = log.entries.length
  entries(log, session)
  return { machine, log, limbo: log.entries.slice(from), ...follow(machine, log.entries.slice(from)) }
}

const nothing = (): void => undefined

/** Commands of one session, each under the next id. */
function commands(...names: readonly (readonly [name: string, input: number])[]) {
  return (log: Log, session: number): void => {
    for (const [name, input] of names) {
      const { highest } = log.machine.sessionFacts(session) ?? { highest: 0 }
      log.request(session, highest + 1, name, { input, lowestPendingRequestId: highest + 1 })
    }
  }
}

const refusalOf = (prepare: (log: Log, session: number) => void, entries: typeof prepare): LimboRefusal | null =>
  limboOf(prepare, entries).trial.refused

describe('the rows that entries of limbo may write', () => {
  test('are those of commands, also of rows that go, and of rows that come and go', () => {
    const { rows } = limboOf(
      commands(['put', 1], ['put', 2]),
      commands(['remove', 1], ['put', 3], ['put', 5], ['remove', 5]),
    )
    expect([...(rows ?? [])]).toEqual(['k1', 'k3', 'k5'])
    expect(rows?.meets('k1', 'k2')).toBe(true)
    expect(rows?.meets('k2', 'k3')).toBe(false)
    expect(rows?.meets('q', 'z')).toBe(false)
  })

  test('are found by what each entry finds that comes after others', () => {
    const { rows } = limboOf(commands(['put', 1]), commands(['put', 2], ['shift', 1], ['count', 0], ['put', 1]))
    expect([...(rows ?? [])]).toEqual(['counted/0', 'k1', 'k2', 'moved/k1', 'moved/k2'])
    const gone = limboOf(commands(['put', 1], ['put', 2], ['put', 3]), commands(['remove', 1], ['shift', 1]))
    expect([...(gone.rows ?? [])]).toEqual(['k1', 'k2', 'k3', 'moved/k2', 'moved/k3'])
    const timers = limboOf(commands(['arm', 1]), commands(['disarm', 1], ['disarm', 1], ['arm', 2], ['disarm', 2]))
    expect([...(timers.rows ?? [])]).toEqual(['disarmed/false/1', 'disarmed/true/1', 'disarmed/true/2'])
  })

  test('are not those of a command that is rejected, throws or was executed before', () => {
    const { rows } = limboOf(commands(['put', 1]), (log, session) => {
      log.request(session, 1, 'put', { input: 1 })
      log.request(session, 2, 'refuse', { input: 5 })
      log.request(session, 3, 'explode')
      log.request(session, 3, 'explode')
      log.request(session, 9, 'put', { input: 2 })
      log.request(session, 4, 'put', { input: 3, epoch: 7 })
    })
    expect([...(rows ?? [])]).toEqual([])
  })

  test('are also those of what runs after a rejection', () => {
    expect([...(limboOf(nothing, commands(['regret', 1])).rows ?? [])]).toEqual(['after/1'])
  })

  test('hold for commands of a session that another connection has taken over in limbo', () => {
    const { rows } = limboOf(nothing, (log, session) => {
      const { epoch } = log.machine.sessionFacts(session) ?? { epoch: 0 }
      log.attach(session, 'a', { replaces: epoch })
      log.request(session, 1, 'put', { input: 1, epoch })
      log.request(session, 1, 'put', { input: 2 })
    })
    expect([...(rows ?? [])]).toEqual(['k2'])
  })

  test('are none of entries that change no row', () => {
    const { rows, limbo } = limboOf(commands(['send', 1]), (log, session) => {
      log.empty('Noop')
      log.empty('Tick')
      log.empty('Snapshot')
      log.ack(session, 1)
      log.append('KeepAlive', { sessions: [numbers(session)] })
      log.raw('ServerRequestAck', new Uint8Array(3))
    })
    expect(rows).toMatchObject({ size: 0, first: limbo[0]?.index, last: limbo.at(-1)?.index })
  })
})

describe('what entries may write is not known', () => {
  const kinds: readonly [EntryKind, (log: Log, session: number) => void][] = [
    ['OpenSession', (log) => void log.open('b')],
    [
      'CloseSession',
      (log, session) =>
        void log.append('CloseSession', { ...numbers(session), epoch: 0, secretHash: new Uint8Array(0) }),
    ],
    [
      'ExpireSessions',
      (log, session) => void log.append('ExpireSessions', { sessions: [{ ...numbers(session), renewedAtIndex: 1 }] }),
    ],
    ['RetryServerRequests', (log) => void log.append('RetryServerRequests', { sessions: [] })],
    ['Limits', (log) => void log.append('Limits', log.machine.limits)],
    ['AdvanceVersion', (log) => void log.append('AdvanceVersion', { machines: [] })],
  ]

  test.each(kinds)('of %s', (kind, entries) => {
    const { trial, limbo, rows, taken } = limboOf(nothing, (log, session) => {
      commands(['put', 1])(log, session)
      entries(log, session)
    })
    expect(limbo.at(-1)?.kind).toBe(kind)
    expect([trial.refused, trial.rows(), taken]).toEqual(['kind', null, 1])
    // Those before it are known.
    expect([...(rows ?? [])]).toEqual(['k1'])
  })

  test('where a timer is due: one that was armed before, or one that another entry has armed', () => {
    const due = (log: Log): void => {
      log.advance(1000)
      log.empty('Noop')
    }
    const armed = (log: Log, session: number): void => {
      commands(['arm', 1])(log, session)
      due(log)
    }
    expect(refusalOf(commands(['arm', 1]), due)).toBe('timer')
    expect(refusalOf(nothing, armed)).toBe('timer')
    expect(refusalOf(commands(['arm', 2]), due)).toBe(null)
  })

  test('where tasks change: one is made, ended, given out or answered', () => {
    expect(refusalOf(nothing, commands(['ask', 0]))).toBe('tasks')
    expect(refusalOf(commands(['ask', 0]), commands(['endTask', 1]))).toBe('tasks')
    const answered = (log: Log, session: number): void => {
      const input = { taskId: '1-task-1', attempt: 1, result: null }
      log.request(session, 2, 'complete', { machine: 'task', input })
    }
    expect(refusalOf(commands(['ask', 0]), answered)).toBe('tasks')
    const freed = (log: Log, session: number): void => void log.ack(session, 3)
    expect(refusalOf(commands(['send', 1], ['send', 2], ['send', 3], ['ask', 0]), freed)).toBe('tasks')
    expect(refusalOf(commands(['ask', 0]), commands(['endTask', 7]))).toBe(null)
  })

  test('where a machine asks which users are known', () => {
    expect(refusalOf(nothing, commands(['users', 0]))).toBe('principals')
    expect(refusalOf(nothing, commands(['admins', 0], ['admins', 1]))).toBe(null)
  })

  test('where a machine waits or signals, and what ends a wait is a timer that is due', () => {
    for (const name of ['wait', 'signal', 'unwait']) {
      const { machine, trial, log } = limboOf(commands(['wait', 1]), commands(['put', 2], [name, 1]))
      expect(trial.refused).toBe('waits')
      machine.checkInvariants()
      expect(machine.appliedIndex).toBe(log.entries.length - 2)
    }
    const later = (log: Log): void => {
      log.advance(800)
      log.empty('Tick')
    }
    expect(refusalOf(commands(['wait', 1]), later)).toBe('timer')
  })

  test('where the engine fails, and the state is as it was', () => {
    const { machine, trial, log } = limboOf(commands(['put', 1]), commands(['put', 2]))
    const before = machine.stateHash()
    const [put] = log.entries.slice(-1)
    if (put === undefined) throw new Error('there is an entry')
    const other = new Log(limboMachine(), TIGHT)
    const session = other.open('a', { roles: ['shipper'] })
    other.request(session, 1, 'put', { input: 1 })
    expect(() => other.request(session, 2, 'overflow')).toThrow('the engine failed')
    const failing = other.entries.at(-1)
    if (failing === undefined) throw new Error('there is an entry')
    const overflowing = machine.tryLimbo()
    expect(overflowing.add(failing)).toBe(false)
    expect([overflowing.refused, overflowing.rows(), trial.refused]).toEqual(['engine', null, null])
    machine.checkInvariants()
    expect(machine.stateHash()).toBe(before)
    machine.apply(put, RECORD_BYTES)
    expect(machine.stateHash()).toBe(log.machine.stateHash())
  })

  test('of more than 4,096 entries, or rows', () => {
    const many = (count: number) => (log: Log) => {
      for (let at = 0; at < count; at += 1) log.empty('Noop')
    }
    expect(refusalOf(nothing, many(4096))).toBe(null)
    expect(refusalOf(nothing, many(4097))).toBe('tooMany')
    expect(refusalOf(nothing, commands(['fill', 4096]))).toBe(null)
    expect(refusalOf(nothing, commands(['fill', 4097]))).toBe('tooMany')
  })

  test('once one of them is applied meanwhile', () => {
    const { machine, limbo } = limboOf(nothing, commands(['put', 1], ['put', 2]))
    const trial = machine.tryLimbo()
    const [first, second] = limbo
    if (first === undefined || second === undefined) throw new Error('there are two')
    expect(trial.add(first)).toBe(true)
    machine.apply(first, RECORD_BYTES)
    expect([trial.add(second), trial.refused, trial.rows()]).toEqual([false, 'moved', null])
  })
})

test('nothing of a trial stays: neither rows nor hash nor what the next boundary stores', () => {
  const every = commands(['put', 2], ['remove', 1], ['send', 1], ['drop', 2], ['latest', 1], ['arm', 4], ['disarm', 5])
  const others = commands(['once', 1], ['tell', 0], ['tell', 1], ['admins', 0], ['refuse', 1], ['regret', 2])
  const { machine, log, trial } = limboOf(commands(['put', 1], ['arm', 5], ['send', 0]), (to, session) => {
    every(to, session)
    others(to, session)
    to.ack(session, 1)
  })
  expect(trial.refused).toBe(null)
  const twin = new SessionStateMachine(limboMachine(), codec, {})
  for (const entry of log.entries.slice(0, machine.appliedIndex)) twin.apply(entry, RECORD_BYTES)
  expect([machine.stateHash(), machine.counts, machine.nextTimerDue()]).toEqual([
    twin.stateHash(),
    twin.counts,
    twin.nextTimerDue(),
  ])
  expect([...rowsOf(machine)]).toEqual([...rowsOf(twin)])
  expect(machine.sessionFacts(3)).toEqual(twin.sessionFacts(3))
  expect(machine.outbox(3, 0, 100)).toEqual(twin.outbox(3, 0, 100))
  machine.checkInvariants()
  expect([...swapped(machine)].sort()).toEqual([...swapped(twin)].sort())
  expect(secret('a')).toEqual(machine.sessionFacts(3)?.secretHash)
})
