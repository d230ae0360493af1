import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { command, defineMachine, mount, query, task } from '../../src/machine/index.ts'
import { nameOfPart, type MachineReport } from '../../src/session/machine-report.ts'
import { SessionStateMachine } from '../../src/session/session-state-machine.ts'
import { codec, Log, numbers } from '../session/log.ts'

const bug = (what: string) => (): never => {
  throw new Error(`a bug in ${what}`)
}
const nothing = { input: z.null(), output: z.null() }

/** Every function of this machine throws, but those that make the others run. */
const broken = defineMachine(
  'broken',
  {
    version: 1,
    state: {},
    requests: { asked: z.null() },
    timers: { late: z.null() },
    tasks: {
      work: task({ role: 'doer', leaseMs: 1000, maxAttempts: 1, backoffMs: [], payload: z.null(), result: z.null() }),
    },
  },
  {
    commands: {
      fail: command(nothing, bug('fail')),
      refuse: command(nothing, (ctx) => {
        ctx.afterReject(bug('afterReject'))
        return ctx.reject('CONFLICT')
      }),
      arm: command(nothing, (ctx) => {
        ctx.schedule('late', ctx.now + 10, null, 'k')
        ctx.task('work', 'ref', null)
        ctx.emit(ctx.session.id, 'asked', null, { deadlineAt: ctx.now + 20 })
        return null
      }),
      nest: command(nothing, (ctx) => {
        ctx.call(quiet.commands.say, null)
        ctx.log('outside')
        return null
      }),
    },
    queries: { look: query(nothing, bug('look')) },
    timers: { late: bug('late') },
    tasks: { work: { onResult: bug('onResult'), onFailed: bug('onFailed') } },
    onSessionCreated: (_ctx, session) => {
      if (session.name === 'refused') bug('onSessionCreated')()
    },
    onSessionExpired: bug('onSessionExpired'),
    onDeadLetter: bug('onDeadLetter'),
  },
)

/** Mounted before and after the broken one, so that whose hook it was is not guessed from the order. */
const quiet = defineMachine(
  'quiet',
  { version: 1, state: {} },
  {
    commands: {
      say: command(nothing, (ctx) => {
        ctx.log('inside', { n: 1 })
        return null
      }),
    },
    onSessionExpired: () => undefined,
  },
)
const last = defineMachine('last', { version: 1, state: {} }, { commands: {}, onSessionExpired: () => undefined })

const mounted = () => mount([quiet, broken, last], codec).userMachine
const told = (reports: readonly MachineReport[]) =>
  reports.map((report) =>
    report.kind === 'line'
      ? `${report.machine} says ${report.message} at ${report.index}`
      : `${nameOfPart(report.part)} at ${report.index} of ${report.session ?? 'nobody'}: ${(report.error as Error).message}`,
  )

describe('what a machine does wrong is reported', () => {
  test('a throw in every kind of function, with its machine, name, entry and session', () => {
    const log = new Log(mounted())
    log.tryOpen('refused')
    const session = log.open('a', { roles: ['doer'] })
    const send = (requestId: number, name: string, input: null | object = null, machine = 'broken') =>
      log.request(session, requestId, name, { machine, input: input as null })
    send(1, 'fail')
    send(2, 'refuse')
    send(3, 'arm')
    send(4, 'complete', { taskId: '1-task-1', attempt: 1, result: null }, 'task')
    send(5, 'fail', { taskId: '1-task-1', attempt: 1, reason: 'X' }, 'task')
    log.advance(30)
    log.empty('Tick')
    log.append('RetryServerRequests', { sessions: [numbers(session)] })
    log.machine.query({ machine: 'broken', query: 'look', input: null, session })
    log.append('CloseSession', { ...numbers(session), epoch: 0, secretHash: new Uint8Array(0) })
    expect(told(log.reports)).toEqual([
      'onSessionCreated of broken at 3 of 0/1/3: a bug in onSessionCreated',
      'command broken.fail at 5 of 0/1/4: a bug in fail',
      'afterReject of broken at 6 of 0/1/4: a bug in afterReject',
      'onTaskResult of broken at 8 of 0/1/4: a bug in onResult',
      'onTaskFailed of broken at 9 of nobody: a bug in onFailed',
      'timer broken.late/k at 10 of nobody: a bug in late',
      'onDeadLetter of broken at 11 of nobody: a bug in onDeadLetter',
      'query broken.look at 11 of 0/1/4: a bug in look',
      'onSessionExpired of broken at 12 of 0/1/4: a bug in onSessionExpired',
    ])
  })

  test('a line says which machine spoke, also inside a call of another', () => {
    const log = new Log(mounted())
    log.request(log.open('a'), 1, 'nest', { machine: 'broken' })
    expect(told(log.reports)).toEqual(['quiet says inside at 4', 'broken says outside at 4'])
  })

  test('a listener that throws disturbs nothing', () => {
    const heard = new Log(mounted())
    const machine = new SessionStateMachine(mounted(), codec, { report: bug('the listener') })
    const session = heard.open('a')
    for (const [at, name] of ['fail', 'refuse', 'nest', 'arm'].entries()) {
      heard.request(session, at + 1, name, { machine: 'broken' })
    }
    for (const entry of heard.entries) machine.apply(entry, 100)
    expect(machine.stateHash()).toBe(heard.machine.stateHash())
  })
})
