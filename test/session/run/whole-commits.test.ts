import { describe, expect, test, vi } from 'vitest'
import { EngineError, InvariantError } from '../../../src/session/run/engine-error.ts'
import { SessionStateMachine } from '../../../src/session/session-state-machine.ts'
import { AuditLog } from '../../../src/session/tables/audit-log.ts'
import type { MachineContext, UserStateMachine } from '../../../src/session/user-machine.ts'
import { bareMachine } from '../bare-machine.ts'
import { follow } from '../limbo/limbo-machine.ts'
import { code, codec, Log, RECORD_BYTES, swapped } from '../log.ts'

const KIND = { kind: 'k', role: 'r', leaseMs: 1000, maxAttempts: 1, backoffMs: [] }
const HERE = ['test/.t/f/1', 'test/.t/f/2', 'test/.t/f/3']

/** All that a transaction can do, and then it takes a key away that is not there, among others that come and go. */
function half(context: MachineContext): void {
  context.state.set('row', 1)
  context.state.bare.delete('test/.t/f/2')
  context.state.bare.add('test/.t/f/9')
  context.schedule('test', 'timer', 0, null)
  context.task('test', KIND, 'ref', null)
  context.notify('user:a', 'topic', null)
  context.once('scope', 'key', '', 1000, () => 1)
  context.state.bare.delete('test/.t/f/absent')
  context.state.bare.delete('test/.t/f/1')
}

function machine(hooks: Partial<UserStateMachine>) {
  return bareMachine(
    {
      begin: ({ state }) => {
        for (const key of HERE) state.bare.add(key)
        return null
      },
      half: (context) => {
        context.wait('test', 'key')
        half(context)
        return null
      },
      keys: ({ state }) => [...state.bare.range({ from: 'test/.', to: 'test/.~', limit: 10 })],
      broken: () => {
        throw new InvariantError('of the machine')
      },
      slip: ({ state }) => {
        state.set('row', 1)
        state.bare.delete('test/.t/f/absent')
        return null
      },
      follow: ({ state }) => {
        state.set(state.has('row') ? 'beside' : 'alone', 1)
        return null
      },
      later: (context) => {
        context.schedule('test', 'half', 0, null)
        return null
      },
    },
    { onTimer: half, ...hooks },
  )
}

const world = (hooks: Partial<UserStateMachine> = {}) => new Log(machine(hooks))

/** The rows that an entry changes, but for those that any does. */
function changed(log: Log, act: () => unknown): string[] {
  swapped(log.machine)
  act()
  const told = ['session/meta', 'session/client/', 'session/response/', 'session/audit/', 'session/alert/']
  return [...swapped(log.machine).keys()].filter((key) => !told.some((family) => key.startsWith(family)))
}

describe('a key that is taken away and is not there', () => {
  test('fails the whole command: nothing of it stands', () => {
    const log = world()
    const session = log.open('a')
    log.request(session, 1, 'begin')
    const reply = { value: null as unknown }
    const rows = changed(log, () => {
      reply.value = log.request(session, 2, 'half')
    })
    expect(reply.value).toMatchObject({
      outcome: { code: 'MACHINE_ERROR', details: { machine: 'test', reason: 'INTERNAL_INVARIANT' } },
    })
    expect(log.pending(session)).toEqual([])
    // The key that went before it came again, and one that is written as it was is no change to anybody.
    expect(rows.filter((key) => key !== 'user/test/.t/f/2')).toEqual([])
    expect(log.request(session, 3, 'keys')).toMatchObject({ outcome: { value: HERE } })
  })

  test('fails a timer, and a session that would be opened', () => {
    const log = world({
      onSessionCreated: (context, { name }) => (name === 'half' ? half(context) : undefined),
    })
    const session = log.open('a')
    log.request(session, 1, 'begin')
    const rows = changed(log, () => {
      log.request(session, 2, 'later')
      log.advance(10)
      log.empty('Tick')
      expect(code(log.tryOpen('half').reply)).toBe('OPEN_REJECTED')
    })
    expect(rows.filter((key) => key !== 'user/test/.t/f/2')).toEqual([])
    expect(log.reports.map((report) => report.kind === 'failure' && report.reason)).toEqual([
      'INTERNAL_INVARIANT',
      'INTERNAL_INVARIANT',
    ])
    expect(log.request(session, 3, 'keys')).toMatchObject({ outcome: { value: HERE } })
  })

  test('fails a migration, before anybody sees any of it', () => {
    const log = world({
      *migrate(context) {
        yield
        half(context)
        yield
      },
    })
    log.append('AdvanceVersion', { machines: [{ machine: 'test', to: 1, schema: '' }] })
    const session = log.open('a')
    log.request(session, 1, 'begin')
    const rows = changed(log, () =>
      log.append('AdvanceVersion', { machines: [{ machine: 'test', to: 2, schema: '' }] }),
    )
    expect(rows).toEqual([])
    expect(log.reports).toMatchObject([{ kind: 'failure', reason: 'INTERNAL_INVARIANT' }])
    expect(log.request(session, 2, 'keys')).toMatchObject({ outcome: { value: HERE } })
  })

  test('fails a command that is only tried, as one whose invariant does not hold', () => {
    const log = world()
    const session = log.open('a')
    log.request(session, 1, 'begin')
    for (const [at, command] of ['half', 'broken'].entries()) {
      const given = { machine: 'test', command, input: null, principal: 'user:a', roles: [], now: log.now }
      const tried = log.machine.tryCommand(given)
      expect(tried).toMatchObject({ changes: [], tasks: [] })
      expect(log.request(session, 2 + at, command)).toMatchObject({ outcome: tried.outcome })
      expect(tried.outcome).toMatchObject({ details: { reason: 'INTERNAL_INVARIANT' } })
    }
  })

  test('fails a command of limbo, so that those after it do not read what it wrote', () => {
    const log = world()
    const session = log.open('a')
    log.request(session, 1, 'begin')
    const before = log.entries.length
    log.request(session, 2, 'slip')
    log.request(session, 3, 'follow')
    const leader = new SessionStateMachine(machine({}), codec)
    for (const entry of log.entries.slice(0, before)) leader.apply(entry, RECORD_BYTES)
    const { rows } = follow(leader, log.entries.slice(before))
    expect([...(rows ?? [])]).toEqual(['alone'])
  })

  test('left half a commit before own version 5, and logs of that version go on so', () => {
    const log = world()
    log.append('AdvanceVersion', { machines: [{ machine: 'test', to: 1, schema: '' }] })
    const session = log.open('a')
    log.request(session, 1, 'begin')
    const rows = changed(log, () => expect(code(log.request(session, 2, 'half'))).toBe('MACHINE_ERROR'))
    expect(rows).toContain('user/row')
    log.append('AdvanceVersion', { machines: [{ machine: 'holdfast', to: 5, schema: '' }] })
    log.append('AdvanceVersion', { machines: [{ machine: 'test', to: 1, schema: '' }] })
    expect(changed(log, () => log.request(session, 3, 'half'))).not.toContain('user/row')
  })
})

describe('a commit that fails in its middle', () => {
  test('is no outcome: nothing more is applied, and the part is named', () => {
    const log = new Log(
      bareMachine({
        tell: (context) => {
          context.state.set('row', 1)
          context.audit('record')
          return null
        },
      }),
    )
    const session = log.open('a')
    const broken = vi.spyOn(AuditLog.prototype, 'append').mockImplementation(() => {
      throw new Error('a bug of the session layer')
    })
    try {
      expect(() => log.request(session, 1, 'tell')).toThrow(EngineError)
      expect(() => log.empty('Noop')).toThrow('(command)')
    } finally {
      broken.mockRestore()
    }
  })
})
