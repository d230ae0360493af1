import type { SessionId } from '../../src/base/brand.ts'
import type { Value } from '../../src/codec/value/value.ts'
import type { BuildMachine } from '../../src/session/user-machine.ts'
import { type BareMachine, bareMachine, type Handler, number, reject } from './bare-machine.ts'
import { TASK_KIND, verdictOf } from './model/tasks.ts'
import { FAILING } from './model/versions.ts'
import { overflowOf, waitOf } from './model/waits.ts'
import { onSchedule, planInVain, planning } from './planning.ts'

/**
 * The user machine of the properties; `Model` says the same in its own words. `machines`: what the build has; absent: it
 * takes every version for its own.
 */
export function propertyMachine(machines?: readonly BuildMachine[]): BareMachine {
  return bareMachine(
    {
      increment: ({ state }, input) => {
        const key = `count/${String(input)}`
        state.set(key, number(state.get(key)) + 1)
        return number(state.get(key))
      },
      emit: (context, input) => {
        const own = context.session?.id ?? ('' as SessionId)
        return Array.from({ length: number(input) }, (_, n) => context.emit(own, 'event', n))
      },
      emitOther: (context, input) => context.emit(String(input) as SessionId, 'event', 'hello'),
      coalesce: (context, input) =>
        context.emit(context.session?.id ?? ('' as SessionId), 'state', input, { overflow: 'coalesce', key: 'k' }),
      refuse: (context) => {
        context.state.set('refused', true)
        context.notify('user:0', 'x', 'x')
        context.wait('test', 'w1')
        context.signal('test', 'w1', 'lost')
        planInVain(context)
        context.task('test', TASK_KIND, '', 'lost')
        context.cancelTask('1-task-1')
        context.afterReject((after) => after.state.set('refusedAt', after.index))
        return reject('NO', { at: context.index })
      },
      explode: (context) => {
        context.state.set('exploded', true)
        context.signal('test', 'w0', 'lost')
        context.wait('test', 'w0')
        planInVain(context)
        context.task('test', TASK_KIND, '', 'lost')
        throw new Error('a bug')
      },
      later: (context, input) => {
        context.schedule(
          'test',
          `t${number(input) % 3}`,
          context.now + number(input) * 5000,
          context.session?.id ?? null,
        )
        return null
      },
      cancel: (context, input) => context.cancel('test', `t${number(input) % 3}`),
      notify: (context, input) => {
        context.notify(`user:${number(input)}`, 'news', context.index)
        return null
      },
      once: (context, input) => {
        const result = context.once('s', `k${number(input)}`, 'f', 60_000, () => context.index)
        return 'value' in result ? [result.kind, result.value] : result.kind
      },
      ...waiting(),
      ...planning,
      ...asking,
      audit: (context) => {
        context.audit(context.id('a-'))
        context.alert('ODD', context.random())
        return null
      },
    },
    {
      onSessionCreated: (context, session) => {
        context.state.set('created', number(context.state.get('created')) + 1)
        context.emit(session.id, 'welcome', session.name)
        return session.capabilities['refuse'] === true ? reject('REFUSED', session.name) : undefined
      },
      onSessionExpired: (context, session, pending, reason) => {
        context.state.set(
          `ended/${reason}`,
          pending.map((request) => request.serverRequestId),
        )
        context.notify('user:0', 'ended', session.name)
      },
      onTimer: (context, { name, payload }) => {
        context.state.set(`fired/${name}`, context.now)
        context.state.set('heard', context.emit(payload as SessionId, 'fired', name))
        if (name === 't2') throw new Error('a bug')
      },
      onWait: (context, { waitId, key, end, undelivered }) => {
        const { state } = context
        state.set('ends', [...((state.get('ends') ?? []) as Value[]), `${waitId} ${end.kind} ${undelivered}`])
        if (end.kind === 'signalled' && key !== 'w2') context.signal('test', `w${Number(key[1]) + 1}`, end.value, KEPT)
        if (end.kind === 'timedOut' && key === 'w1') context.wait('test', 'w0')
        if (end.kind === 'ownerEnded' && key === 'w2') throw new Error('a bug')
      },
      onSchedule,
      onDeadLetter: (context, request) => context.state.set('dead', request.serverRequestId),
      onTaskResult: (context, { taskId, attempt }, result) => {
        const verdict = verdictOf(result as { n: number; odd: boolean })
        context.state.set(`done/${taskId}`, verdict)
        if (verdict === 'throws') throw new Error('a bug')
        if (verdict === 'cancels') context.cancelTask(taskId)
        return verdict === 'invalid' ? { kind: 'invalid', details: 'bad' } : { kind: 'done', value: attempt }
      },
      onTaskFailed: (context, { taskId }, reason) => {
        context.state.set(`failed/${taskId}`, reason)
        if (reason === 'LEASE_EXPIRED') throw new Error('a bug')
      },
      migrate: (context, machine, { from, to }) => {
        context.state.set('migrated', [machine, from, to])
        context.notify('user:1', 'migrated', to)
        if (to === FAILING) throw new Error('a bug')
      },
      ...(machines === undefined ? {} : { machines }),
    },
  )
}

/** The commands that ask for tasks, and no longer. */
const asking: Record<string, Handler> = {
  ask: (context) => context.task('test', TASK_KIND, '', context.index),
  askTwice: (context, input) => {
    const ref = `r${number(input) % 2}`
    const [one, two] = [0, 1].map(() => context.task('test', TASK_KIND, ref, context.index)) as [string, string]
    return [one, two, context.cancelTask(one), context.openTasks('test', 'k', ref).length]
  },
  unask: (context, input) => context.cancelTask(`1-task-${number(input)}`),
  asked: (context) => context.openTasks('test', 'k', null) as unknown as Value,
}

const KEPT = { retentionMs: 15_000 }

/** The commands that wait and signal, of three keys. */
function waiting(): Record<string, Handler> {
  const waits = ['wait', 'waitHere', 'tellMe', 'waitLong'].map((command): [string, Handler] => [
    command,
    (context, input) => {
      const { owner, deliver, timeoutMs } = waitOf(command, 0)
      const session = owner === null ? null : (context.session?.id ?? null)
      const type = deliver ? { type: 'waited' } : null
      return context.wait('test', `w${number(input) % 3}`, { timeoutMs, owner: session, deliver: type })
    },
  ])
  const signals = ['signal', 'push', 'latest'].map((command): [string, Handler] => [
    command,
    (context, input) =>
      context.signal('test', `w${number(input) % 3}`, input, { ...KEPT, overflow: overflowOf(command) }),
  ])
  const unwait: Handler = (context, input) => context.cancelWait('test', `1-wait-${number(input) + 1}`)
  return { ...Object.fromEntries([...waits, ...signals]), unwait }
}
