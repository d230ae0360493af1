import type { VirtualRun } from './virtual-run.ts'

type Method = (this: unknown, ...parameters: unknown[]) => unknown

/**
 * The session itself, whose promises now make the world run until they settle. A server request that is waited for does so only
 * while there is one to be delivered (`undelivered`): else a loop over them would let time pass for ever.
 */
export function driving<Session extends object>(
  session: Session,
  run: VirtualRun,
  undelivered: () => boolean,
): Session {
  const prototype: object = Reflect.getPrototypeOf(session) ?? session
  for (const name of Object.getOwnPropertyNames(prototype)) {
    const method: unknown = Reflect.getOwnPropertyDescriptor(prototype, name)?.value
    if (typeof method !== 'function' || name === 'constructor') continue
    const value: Method = (...parameters) => watched(Reflect.apply(method, session, parameters), run, undelivered)
    Object.defineProperty(session, name, { value, configurable: true, writable: true })
  }
  return session
}

function watched(result: unknown, run: VirtualRun, undelivered: () => boolean): unknown {
  if (result instanceof Promise) return run.awaited(result)
  if (typeof result !== 'object' || result === null || !(Symbol.asyncIterator in result)) return result
  const { next } = result as { next?: unknown }
  if (typeof next !== 'function') return result
  Object.defineProperty(result, 'next', {
    value: (...parameters: unknown[]) => {
      const promise: unknown = Reflect.apply(next, result, parameters)
      return promise instanceof Promise ? run.awaited(promise, undelivered) : promise
    },
  })
  return result
}
