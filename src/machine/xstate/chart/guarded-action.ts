import { assign, cancel, emit, raise, sendParent, sendTo, spawnChild, stopChild } from 'xstate'

/** One of XState's own actions: a function that carries its parts. */
export interface BuiltinAction {
  (...parameters: readonly unknown[]): unknown
  readonly type: string
  readonly resolve: unknown
  readonly event?: unknown
  readonly delay?: unknown
  readonly to?: unknown
  readonly id?: unknown
  readonly src?: unknown
  readonly systemId?: unknown
  readonly syncSnapshot?: unknown
  readonly collect?: unknown
}

type Fn = (...parameters: readonly unknown[]) => unknown

export const isFunction = (value: unknown): value is Fn => typeof value === 'function'

/** Told from a function of the author's by what XState puts on its own. */
export const isBuiltin = (action: unknown): action is BuiltinAction => isFunction(action) && 'resolve' in action

/**
 * The same action with what it computes checked. XState takes a delay that is undefined for "at once" and a target that is
 * undefined for the machine itself (the tests of X4 and X13): here both end the event with an error.
 */
export function guardedAction(action: unknown): unknown {
  if (!isBuiltin(action)) return action
  const { delay, to, collect } = action
  const changes: { [name: string]: unknown } = {}
  if (isFunction(delay)) changes.delay = checkedDelay(action.type, delay)
  if (isFunction(to)) changes.to = checkedTarget(to)
  if (isFunction(collect)) changes.collect = checkedCollect(collect)
  if (Object.keys(changes).length === 0) return action
  const copy = (...parameters: readonly unknown[]): unknown => action(...parameters)
  return Object.assign(copy, action, changes)
}

/** A function that gives a delay, checked: finite milliseconds, not negative. */
export function checkedDelay(name: string, delay: Fn): Fn {
  return (...parameters) => {
    const ms = delay(...parameters)
    if (isDelay(ms)) return ms
    throw new Error(`the delay ${name} gave ${String(ms)}; a delay is a finite number of milliseconds, 0 or more`)
  }
}

export const isDelay = (ms: unknown): ms is number => typeof ms === 'number' && ms >= 0 && ms <= DELAY_MS_MAX

/** 285,000 years: with the time of the log added, which is below 2^43 until the year 2248, it is still an integer. */
const DELAY_MS_MAX = 2 ** 53 - 2 ** 43

function checkedTarget(to: Fn): Fn {
  return (...parameters) => {
    const target = to(...parameters)
    if (target !== undefined && target !== null) return target
    throw new Error('sendTo has no target: its function gave none, and XState would send to the machine itself')
  }
}

/** What `enqueueActions` queues is known only when it runs, so it is checked there. */
function checkedCollect(collect: Fn): Fn {
  return (parts, ...rest) => {
    const { enqueue, ...others } = parts as { readonly enqueue: Fn }
    const put = (action: unknown): unknown => enqueue(guardedAction(action))
    const makers = { assign, cancel, emit, raise, sendParent, sendTo, spawnChild, stopChild }
    const each = Object.entries(makers).map(([name, make]) => {
      // The makers are typed for the author's machine; here they only pass on what the author gave.
      const queue = (...parameters: readonly unknown[]): unknown => put((make as unknown as Fn)(...parameters))
      return [name, queue] as const
    })
    return collect({ ...others, enqueue: Object.assign(put, Object.fromEntries(each)) }, ...rest)
  }
}
