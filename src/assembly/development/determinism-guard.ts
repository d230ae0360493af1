import type { UserStateMachine } from '../../session/user-machine.ts'
import type { DeterminismError } from './forbidden.ts'
import { isSteps } from '../../session/run/returned.ts'
import { ReplacedGlobals } from './replaced-globals.ts'

/**
 * For development and tests (machines.md §2): the same machine, but while one of its functions runs, what would break
 * determinism throws with a sentence that names the API and the ctx member to use instead; afterwards everything is as it
 * was. The throw becomes the command's MACHINE_ERROR, also when the machine swallows it; `report` sees it at once. What the
 * host does inside ctx calls (hashing, logging) is not guarded.
 */
export function withDeterminismGuard(
  machine: UserStateMachine,
  report: (violation: DeterminismError) => void = () => undefined,
): UserStateMachine {
  const guard = new Guard(report)
  // Every member of a machine is a function of a context (or view) and data, but for `versions` and `running`.
  return new Proxy(machine, {
    get: (target, property) => {
      const member: unknown = Reflect.get(target, property, target)
      return typeof member === 'function' ? guard.guarded(member.bind(target)) : member
    },
  })
}

/** What a function returns that goes on step by step (a migration): the guard is on in each of them, and off in between. */
const STEPS = {
  [Symbol.iterator](): unknown {
    return this
  },
}

type AnyFunction = (...parameters: unknown[]) => unknown

/** Puts the replacements in place around machine code, and has them let host code pass; calls may nest in any order. */
class Guard {
  private readonly globals: ReplacedGlobals
  private swallowed: DeterminismError | null = null

  constructor(report: (violation: DeterminismError) => void) {
    this.globals = new ReplacedGlobals((violation) => {
      this.swallowed ??= violation
      report(violation)
    })
  }

  /** The function with the guard on; a context among its parameters becomes one whose calls run with the guard off. */
  guarded(run: AnyFunction): AnyFunction {
    return (...parameters) => {
      const given = parameters.map((parameter) => this.hostObject(parameter))
      if (this.globals.inPlace) return this.globals.passing(false, () => run(...given))
      this.swallowed = null
      const result = this.globals.within(() => run(...given))
      // A machine that caught the error would go on with what replicas do not share.
      if (this.swallowed !== null) throw this.swallowed
      return isSteps(result) ? { ...STEPS, next: this.guarded(result.next.bind(result) as AnyFunction) } : result
    }
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
      return this.globals.passing(true, () => run(...given))
    }
  }
}
