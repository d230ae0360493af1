import type { UserStateMachine } from '../session/user-machine.ts'

/** Thrown (and reported) when a machine asks its process for something that differs between replicas (machines.md §2). */
export class DeterminismError extends Error {
  override readonly name = 'DeterminismError'
  /** The API as it was called, e.g. `Date.now()`. */
  readonly api: string

  constructor(api: string, instead: string) {
    super(`${api} differs between replicas, so a machine may not use it; ${instead}`)
    this.api = api
  }
}

/**
 * For development and tests (machines.md §2): the same machine, but while one of its functions runs, what would break
 * determinism throws with a sentence that names the API and the ctx member to use instead; afterwards everything is as it
 * was. The throw becomes the command's MACHINE_ERROR; `report` also sees it, even when the machine swallows it. What the
 * host does inside ctx calls (hashing, logging) is not guarded.
 */
export function withDeterminismGuard(
  machine: UserStateMachine,
  report: (violation: DeterminismError) => void = () => undefined,
): UserStateMachine {
  const guard = new Guard(report)
  // Every member of a machine is a function of a context (or view) and data, except `versions`.
  return new Proxy(machine, {
    get: (target, property) => {
      const member: unknown = Reflect.get(target, property, target)
      return typeof member === 'function' ? guard.guarded(member.bind(target)) : member
    },
  })
}

type AnyFunction = (...parameters: unknown[]) => unknown

/** Switches the replacements on around machine code and off around host code; calls may nest in any order. */
class Guard {
  private readonly report: (violation: DeterminismError) => void
  private restore: (() => void) | null = null

  constructor(report: (violation: DeterminismError) => void) {
    this.report = report
  }

  /** The function with the guard on; a context among its parameters becomes one whose calls run with the guard off. */
  guarded(run: AnyFunction): AnyFunction {
    return (...parameters) => this.switched(true, () => run(...parameters.map((given) => this.hostObject(given))))
  }

  private hostObject(given: unknown): unknown {
    if (typeof given !== 'object' || given === null || !('afterReject' in given)) return given
    return new Proxy(given, {
      get: (target, property) => {
        const member: unknown = Reflect.get(target, property, target)
        return typeof member === 'function' ? this.hostCall(member.bind(target)) : member
      },
    })
  }

  /** Host code runs unguarded, but a function that the machine handed to it is machine code again. */
  private hostCall(run: AnyFunction): AnyFunction {
    return (...parameters) => {
      const given = parameters.map((parameter) =>
        typeof parameter === 'function' ? this.guarded(parameter as AnyFunction) : parameter,
      )
      return this.switched(false, () => run(...given))
    }
  }

  private switched<Result>(on: boolean, run: () => Result): Result {
    const was = this.restore !== null
    if (was === on) return run()
    this.turn(on)
    try {
      return run()
    } finally {
      this.turn(was)
    }
  }

  private turn(on: boolean): void {
    this.restore?.()
    this.restore = on ? replaceAll(this.report) : null
  }
}

const CLOCK = 'use ctx.now, the clock that the log agreed on'
const RANDOM = 'use ctx.random(), seeded by the entry'
const IDENTITY = 'use ctx.id(prefix), unique for ever'
const TIMER = 'use ctx.schedule, a durable timer'
const OUTSIDE = 'use ctx.task: a worker does it and its result comes back as a command'
const LOCALE = 'it depends on the locale or time zone of the machine; compute in UTC and compare with < and >'

/** Own members of objects: where, which, and what to use instead. */
function replacements(): readonly (readonly [
  holder: object,
  name: string,
  members: readonly string[],
  instead: string,
])[] {
  return [
    [Math, 'Math', ['random'], RANDOM],
    [globalThis, '', ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'], TIMER],
    [globalThis, '', ['fetch'], OUTSIDE],
    [globalThis.crypto, 'crypto', ['randomUUID'], IDENTITY],
    [globalThis.crypto, 'crypto', ['getRandomValues'], RANDOM],
    [performance, 'performance', ['now'], CLOCK],
    [process, 'process', ['hrtime', 'uptime'], CLOCK],
    [process, 'process', ['nextTick'], TIMER],
    [String.prototype, 'String', ['localeCompare', 'toLocaleLowerCase', 'toLocaleUpperCase'], LOCALE],
    [Number.prototype, 'Number', ['toLocaleString'], LOCALE],
    [Date.prototype, 'Date', ['toLocaleString', 'toLocaleDateString', 'toLocaleTimeString'], LOCALE],
    [Date.prototype, 'Date', ['getFullYear', 'getMonth', 'getDate', 'getDay', 'getHours', 'getMinutes'], LOCALE],
    [Date.prototype, 'Date', ['getTimezoneOffset', 'toString', 'toDateString', 'toTimeString'], LOCALE],
  ]
}

/** Puts throwing functions in place of them all and returns what puts the originals back. */
function replaceAll(report: (violation: DeterminismError) => void): () => void {
  const refuse = (api: string, instead: string): never => {
    const violation = new DeterminismError(api, instead)
    report(violation)
    throw violation
  }
  const undo = replacements().flatMap(([holder, name, members, instead]) =>
    members.map((member) => {
      const api = `${name === '' ? '' : `${name}.`}${member}()`
      return replace(holder, member, () => refuse(api, instead))
    }),
  )
  undo.push(replace(globalThis, 'Date', guardedDate(refuse)))
  return () => {
    for (const back of undo) back()
  }
}

/** Dates made from a given time are plain arithmetic and stay allowed. */
function guardedDate(refuse: (api: string, instead: string) => never): DateConstructor {
  return new Proxy(Date, {
    apply: () => refuse('Date()', CLOCK),
    construct: (target, parameters, newTarget) =>
      parameters.length === 0 ? refuse('new Date()', CLOCK) : Reflect.construct(target, parameters, newTarget),
    get: (target, property) =>
      property === 'now' ? () => refuse('Date.now()', CLOCK) : Reflect.get(target, property, target),
  })
}

function replace(holder: object, member: string, value: unknown): () => void {
  const own = Object.getOwnPropertyDescriptor(holder, member)
  Object.defineProperty(holder, member, { value, configurable: true, writable: true })
  return () => {
    if (own === undefined) Reflect.deleteProperty(holder, member)
    else Object.defineProperty(holder, member, own)
  }
}
