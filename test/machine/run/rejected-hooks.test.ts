import { expect, test } from 'vitest'
import { z } from 'zod'
import {
  bare,
  type Context,
  command,
  defineMachine,
  domainEvents,
  identityOf,
  mount,
  on,
  table,
} from '../../../src/machine/index.ts'
import {
  OWN_MACHINE_NAME,
  REJECTED_HOOKS_SINCE,
  REJECTED_RUNS_SINCE,
  RETURNED_PROMISES_SINCE,
} from '../../../src/session/own-versions.ts'
import type { MachineContext, Outcome } from '../../../src/session/user-machine.ts'
import { bareMachine, reject } from '../../session/bare-machine.ts'
import { codec, Log, secret, swapped } from '../../session/log.ts'

const SCHEMA = {
  version: 1,
  state: { rows: table(z.string(), z.string()) },
  errors: { NO: z.object({}) },
  timers: { late: z.null() },
  waits: { reply: z.null() },
} as const

/** Whose hooks write, and then reject. */
const hooks = defineMachine('hooks', SCHEMA, {
  commands: {
    begin: command({ input: z.null(), output: z.null() }, (ctx) => {
      ctx.schedule('late', ctx.now + 1000, null)
      ctx.wait('reply', 'k', { timeoutMs: 2000 })
      return null
    }),
    refuse: command({ input: z.null(), output: z.null() }, (ctx) => {
      ctx.afterReject((after) => {
        after.state.rows.set('afterReject', 'half')
        return after.reject('NO', {}) as never
      })
      return ctx.reject('NO', {})
    }),
  },
  timers: {
    late: (ctx) => {
      ctx.state.rows.set('timer', 'half')
      ctx.audit('tried')
      return ctx.reject('NO', {}) as never
    },
  },
  waits: {
    reply: (ctx) => {
      ctx.state.rows.set('wait', 'half')
      return ctx.reject('NO', {}) as never
    },
  },
  onSessionExpired: (ctx) => {
    ctx.state.rows.set('expired', 'half')
    return ctx.reject('NO', {}) as never
  },
})

/** What the hooks leave in a log at that version of the session layer, and the failures that it reports. */
function leftAt(own: number) {
  const log = new Log(mount([hooks], codec).userMachine)
  const { schema } = identityOf(hooks)
  log.append('AdvanceVersion', {
    machines: [
      { machine: 'hooks', to: 1, schema },
      { machine: OWN_MACHINE_NAME, to: own, schema: '' },
    ],
  })
  const session = log.open('a')
  log.request(session, 1, 'begin', { machine: 'hooks', input: null })
  log.request(session, 2, 'refuse', { machine: 'hooks', input: null })
  log.advance(5000)
  log.empty('Tick')
  const epoch = log.machine.sessionFacts(session)?.epoch ?? 0
  log.append('CloseSession', { group: 0, incarnation: 1, index: session, epoch, secretHash: secret('a') })
  log.machine.checkInvariants()
  const rows = [...swapped(log.machine).keys()]
  const kept = rows.filter((key) => key.startsWith('user/hooks/'))
  return {
    left: ['timer', 'wait', 'expired', 'afterReject'].filter((name) => kept.some((key) => key.includes(name))),
    audited: rows.filter((key) => key.startsWith('session/audit/')).length,
    reports: log.reports,
  }
}

test('a timer, wait or hook that returns a rejection is rolled back, keeps its records, and is no failure', () => {
  expect(leftAt(REJECTED_HOOKS_SINCE)).toEqual({ left: [], audited: 1, reports: [] })
})

test('before that version of the session layer what it wrote stays, as in builds that do not take it back', () => {
  const { left, reports } = leftAt(REJECTED_HOOKS_SINCE - 1)
  expect([left, reports]).toEqual([['timer', 'wait', 'expired', 'afterReject'], []])
})

test('hooks of a plain machine likewise; a rejection that is none is a failure', () => {
  let answer: Outcome = reject('NO')
  const write = (name: string) => (context: MachineContext) => {
    context.state.set(name, 1)
    return answer
  }
  const user = bareMachine(
    {
      begin: (context) => {
        for (const at of [1000, 3000]) context.schedule('test', `t${at}`, context.now + at, null)
        return null
      },
    },
    { onTimer: write('timer'), onSessionExpired: write('expired') },
  )
  const log = new Log(user)
  log.request(log.open('a'), 1, 'begin')
  log.advance(2000)
  log.empty('Tick')
  expect(log.reports).toEqual([])
  answer = reject('N'.repeat(10_000))
  log.advance(2000)
  log.empty('Tick')
  expect(log.reports).toMatchObject([{ kind: 'failure', reason: 'INVALID_VALUE' }])
  expect(swapped(log.machine).has('user/timer')).toBe(false)
})

test('a migration that returns a rejection has failed: rows and version stay', () => {
  const later = defineMachine('hooks', { ...SCHEMA, version: 2 }, {
    ...hooks.behaviour,
    migrations: {
      2: function* (ctx: Context<typeof SCHEMA>) {
        ctx.state.rows.set('migrated', 'half')
        yield
        return ctx.reject('NO', {}) as never
      },
    },
  } as never)
  const log = new Log(mount([hooks, later], codec).userMachine)
  for (const machine of [hooks, later]) {
    const { version, schema } = identityOf(machine)
    const own = { machine: OWN_MACHINE_NAME, to: REJECTED_HOOKS_SINCE, schema: '' }
    log.append('AdvanceVersion', { machines: [own, { machine: 'hooks', to: version, schema }] })
  }
  expect(log.machine.activeVersion('hooks')).toBe(1)
  expect([...swapped(log.machine).keys()].filter((key) => key.includes('migrated'))).toEqual([])
  expect(log.reports).toMatchObject([{ kind: 'failure', reason: 'EXCEPTION' }])
})

test('before that version a migration that rejects is unheard, and those behind it run', () => {
  const later = defineMachine('hooks', { ...SCHEMA, version: 3 }, {
    ...hooks.behaviour,
    migrations: {
      2: (ctx: Context<typeof SCHEMA>) => ctx.reject('NO', {}) as never,
      3: (ctx: Context<typeof SCHEMA>) => ctx.state.rows.set('migrated', 'whole'),
    },
  } as never)
  const log = new Log(mount([hooks, later], codec).userMachine)
  for (const machine of [hooks, later]) {
    const { version, schema } = identityOf(machine)
    const own = { machine: OWN_MACHINE_NAME, to: REJECTED_HOOKS_SINCE - 1, schema: '' }
    log.append('AdvanceVersion', { machines: [own, { machine: 'hooks', to: version, schema }] })
  }
  expect(log.machine.activeVersion('hooks')).toBe(3)
  expect([...swapped(log.machine).keys()].filter((key) => key.includes('migrated'))).toHaveLength(1)
})

/** What a mounted machine without the kit, all of whose hooks return a promise, leaves at that version of the session layer. */
function bareAt(own: number) {
  const write = (name: string) => (context: MachineContext) => {
    context.state.set(name, 1)
    return Promise.resolve() as never
  }
  const machine = {
    apply(context: MachineContext): Outcome {
      for (const name of ['promises', 'rejects', 'answers']) context.schedule('bare', name, context.now + 1000, null)
      context.wait('bare', 'k', { timeoutMs: 1000 })
      return { kind: 'value', value: null }
    },
    onSessionCreated: (context: MachineContext, { name }: { name: string }) =>
      name === 'late' ? write('created')(context) : undefined,
    onSessionExpired: write('expired'),
    onWait: write('wait'),
    onTimer(context: MachineContext, { name }: { name: string }): unknown {
      context.state.set(name, 1)
      return name === 'answers' ? 7 : name === 'rejects' ? reject('NO') : Promise.resolve()
    },
  }
  const log = new Log(mount([bare('bare', machine as never)], codec).userMachine)
  const owned = { machine: OWN_MACHINE_NAME, to: own, schema: '' }
  log.append('AdvanceVersion', { machines: [{ machine: 'bare', to: 1, schema: '' }, owned] })
  const session = log.open('a')
  log.request(session, 1, 'begin', { machine: 'bare' })
  log.advance(2000)
  log.empty('Tick')
  const epoch = log.machine.sessionFacts(session)?.epoch ?? 0
  log.append('CloseSession', { group: 0, incarnation: 1, index: session, epoch, secretHash: secret('a') })
  const opened = log.tryOpen('late').reply.kind
  const rows = [...swapped(log.machine).keys()].filter((key) => key.startsWith('user/')).sort()
  return { opened, rows, reasons: log.reports.map((report) => report.kind === 'failure' && report.reason) }
}

test('of a mounted machine without the kit a hook’s rejection counts, a promise is refused, and nothing else counts', () => {
  const reasons = Array(4).fill('ASYNC_HANDLER')
  expect(bareAt(RETURNED_PROMISES_SINCE)).toEqual({ opened: 'refused', rows: ['user/answers'], reasons })
  expect(bareAt(RETURNED_PROMISES_SINCE - 1)).toEqual({
    opened: 'opened',
    rows: ['user/answers', 'user/created', 'user/expired', 'user/promises', 'user/wait'],
    reasons: [],
  })
})

/** A run of a schedule that records what it tried and rejects, and an `afterReject` that returns a promise. */
function triedAt(own: number | null) {
  const machine = defineMachine(
    'bells',
    { version: 1, state: SCHEMA.state, errors: SCHEMA.errors, schedules: { ring: z.null() } },
    {
      commands: {
        begin: command({ input: z.null(), output: z.boolean() }, (ctx) =>
          ctx.schedules.put('ring', { cron: '* * * * *', zone: 'UTC', payload: null }),
        ),
        refuse: command({ input: z.null(), output: z.null() }, (ctx) => {
          ctx.afterReject((after) => {
            after.state.rows.set('afterReject', 'half')
            return Promise.resolve() as never
          })
          return ctx.reject('NO', {})
        }),
      },
      schedules: {
        ring: (ctx) => {
          ctx.audit('tried')
          ctx.alert('strange')
          ctx.state.rows.set('ring', 'half')
          return ctx.reject('NO', {}) as never
        },
      },
    },
  )
  const log = new Log(mount([machine], codec).userMachine)
  const owned = { machine: OWN_MACHINE_NAME, to: own ?? 1, schema: '' }
  const { schema } = identityOf(machine)
  if (own !== null) log.append('AdvanceVersion', { machines: [{ machine: 'bells', to: 1, schema }, owned] })
  const session = log.open('a')
  log.request(session, 1, 'begin', { machine: 'bells', input: null })
  const found = log.machine.schedules.find('bells', 'ring')
  if (found === null) throw new Error('a schedule was made')
  const { revision, after, name } = found
  const times = [after + 1000]
  const step = {
    machine: 'bells',
    name,
    kind: 'next',
    revision,
    after,
    upTo: after,
    missed: 0,
    times,
    stop: '',
  } as const
  log.append('ScheduleNext', { steps: [step] })
  log.advance(2000)
  log.empty('Tick')
  log.request(session, 2, 'refuse', { machine: 'bells', input: null })
  log.machine.checkInvariants()
  const rows = swapped(log.machine)
  const audited = [...rows].filter(([key]) => key.startsWith('session/audit/')).map(([, row]) => row)
  return {
    failed: log.machine.schedules.find('bells', 'ring')?.failed,
    audited: audited.map((row) => (row as { record: { reason?: string } }).record).map((told) => told.reason ?? told),
    alerts: [...rows.keys()].filter((key) => key.startsWith('session/alert/')).length,
    left: ['ring', 'afterReject'].filter((name) =>
      [...rows.keys()].some((key) => key.includes(`rows/`) && key.includes(name)),
    ),
    reasons: log.reports.map((report) => report.kind === 'failure' && report.reason),
  }
}

test.each([null, REJECTED_RUNS_SINCE])(
  'a run of a schedule that rejects keeps its records and is recorded; afterReject returns no promise (own version %s)',
  (own) => {
    expect(triedAt(own)).toMatchObject({
      failed: 1,
      audited: ['tried', 'EXCEPTION', 'ASYNC_HANDLER'],
      alerts: 2,
      reasons: ['EXCEPTION', 'ASYNC_HANDLER'],
    })
  },
)

test('before that version such a run keeps nothing of its own, and what afterReject returns is not looked at', () => {
  expect(triedAt(REJECTED_RUNS_SINCE - 1)).toMatchObject({
    failed: 1,
    audited: ['EXCEPTION'],
    alerts: 1,
    reasons: ['EXCEPTION'],
  })
})

test('what a rejected hook published is heard by nobody, in a log that names no versions as in others', () => {
  const heard: string[] = []
  const said = domainEvents('speaker', { Said: z.object({}) })
  const speaker = defineMachine(
    'speaker',
    { version: 1, state: {}, timers: { late: z.null() }, errors: { NO: z.object({}) }, events: said.shapes },
    {
      commands: {
        begin: command({ input: z.null(), output: z.null() }, (ctx) => {
          ctx.schedule('late', ctx.now + 1000, null)
          return null
        }),
      },
      timers: {
        late: (ctx) => {
          ctx.publish('Said', {})
          return ctx.reject('NO', {}) as never
        },
      },
    },
  )
  const listener = defineMachine(
    'listener',
    { version: 1, state: {} },
    {
      commands: {},
      on: [
        on(said, 'Said', () => {
          heard.push('said')
        }),
      ],
    },
  )
  const log = new Log(mount([speaker, listener], codec).userMachine)
  log.request(log.open('a'), 1, 'begin', { machine: 'speaker', input: null })
  log.advance(2000)
  log.empty('Tick')
  expect([heard, log.reports]).toEqual([[], []])
})

interface Refusing {
  afterReject(run: (after: Refusing) => never): void
  reject(code: 'NO', details: object): unknown
}

test('what an afterReject registers itself is not run', () => {
  let runs = 0
  const again = (ctx: Refusing): never => {
    runs += 1
    ctx.afterReject(again)
    return ctx.reject('NO', {}) as never
  }
  const machine = defineMachine('hooks', SCHEMA, {
    ...hooks.behaviour,
    commands: { ...hooks.behaviour.commands, refuse: command({ input: z.null(), output: z.null() }, again as never) },
  } as never)
  const log = new Log(mount([machine], codec).userMachine)
  log.request(log.open('a'), 1, 'refuse', { machine: 'hooks', input: null })
  expect(runs).toBe(2)
  expect(log.reports).toEqual([])
})
