import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { MachineReport } from '../../../src/session/machine-report.ts'
import { SessionStateMachine } from '../../../src/session/session-state-machine.ts'
import type { UserStateMachine } from '../../../src/session/user-machine.ts'
import { sample } from '../../effort.ts'
import { bareMachine, number } from '../bare-machine.ts'
import { codec, Log, RECORD_BYTES } from '../log.ts'
import { ALL, operations, perform, SMALL } from '../operations.ts'
import { propertyMachine } from '../property-machine.ts'

/** A command's answer, once it has done that. */
const done = (_did: unknown): null => null

/** A machine that has applied a log with every function run twice, and what it reported. */
function rehearsed(user: UserStateMachine, log: Log): { machine: SessionStateMachine; reports: MachineReport[] } {
  const reports: MachineReport[] = []
  const machine = new SessionStateMachine(user, codec, { rehearse: true, report: (report) => reports.push(report) })
  for (const entry of log.entries) machine.apply(entry, RECORD_BYTES)
  return { machine, reports }
}

/** A log of these commands, each in its own request. */
function logOf(user: UserStateMachine, commands: readonly string[]): Log {
  const log = new Log(user)
  const session = log.open('a')
  for (const [at, name] of commands.entries()) log.request(session, at + 1, name, { input: { list: [3] } })
  log.advance(10)
  log.empty('Tick')
  return log
}

describe('in development every function runs twice', () => {
  test('UPC-1 and a machine that is deterministic comes to the same replies, rows and hash, at every entry', () => {
    fc.assert(
      fc.property(operations(ALL, 'remembered'), (steps) => {
        const log = new Log(propertyMachine(), SMALL)
        const twin = new SessionStateMachine(propertyMachine(), codec, { rehearse: true })
        const opened: number[] = []
        for (const step of steps) {
          const done = perform(log, opened, step)
          if (done === null) continue
          for (const entry of log.entries.slice(twin.appliedIndex)) {
            const applied = log.replay(twin, entry)
            if (entry.index === done.applied.index) expect(applied).toEqual(done.applied)
          }
          expect(twin.stateHash()).toBe(log.machine.stateHash())
        }
        twin.checkInvariants()
      }),
      { numRuns: sample(40) },
    )
  })

  test('a machine that keeps something outside its tables fails, whatever it does with it', () => {
    let kept = 0
    const again = (): number => ++kept
    const user = bareMachine({
      answer: () => again(),
      write: (context) => done(context.state.set('n', again())),
      emit: (context) => context.emit(context.session?.id ?? ('' as never), `t${again()}`, null),
      arm: (context) => done(context.schedule('test', `t${again()}`, 0, null)),
      ask: (context) => context.random() + again(),
      audit: (context) => done(context.audit(again())),
      throws: () => {
        if (again() % 2 === 1) return null
        throw new Error('every other time')
      },
      fine: (context) => done(context.state.set('n', number(context.state.get('n')) + 1)),
    })
    const names = ['answer', 'write', 'emit', 'arm', 'ask', 'audit', 'fine']
    const { reports } = rehearsed(user, logOf(user, names))
    const failed = reports.flatMap((report) => (report.kind === 'failure' ? [[report.part.name, report.reason]] : []))
    expect(failed).toEqual(names.slice(0, -1).map((name) => [name, 'NONDETERMINISTIC']))
    kept = 0
    const throwing = rehearsed(user, logOf(user, ['throws'])).reports
    expect(throwing).toMatchObject([{ kind: 'failure', part: { name: 'throws' } }])
  })

  test('timers and hooks as well', () => {
    let kept = 0
    const user = bareMachine(
      { arm: (context) => done(context.schedule('test', 't', 0, null)) },
      {
        onTimer: (context) => context.state.set('n', ++kept),
        onSessionCreated: (context) => context.state.set('n', ++kept),
      },
    )
    const log = new Log(bareMachine({ arm: (context) => done(context.schedule('test', 't', 0, null)) }))
    log.request(log.open('a'), 1, 'arm')
    const { reports } = rehearsed(user, log)
    expect(reports).toMatchObject([{ part: { name: 'onSessionCreated' }, reason: 'NONDETERMINISTIC' }])
  })

  test('what a rehearsal was given, said and numbered does not reach the run that counts', () => {
    const user = bareMachine({
      push: (context, input) => {
        const { list } = input as { list: number[] }
        list.push(4)
        context.log('pushed', { id: context.id('x'), random: context.random() })
        return [list, context.id('x')]
      },
    })
    const log = logOf(user, ['push', 'push'])
    const { machine, reports } = rehearsed(user, log)
    expect(machine.stateHash()).toBe(log.machine.stateHash())
    expect(reports).toEqual(log.reports)
    expect(reports).toHaveLength(2)
  })
})
