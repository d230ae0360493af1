import { AssertionError } from '../../base/assert.ts'

/**
 * An error of the JavaScript engine inside apply (stack overflow, out of memory, invalid length). It differs between
 * replicas, so it is no outcome: the node stops applying at this entry (sessions.md §10). `part` names the part of the
 * entry that hit it (`skipped-parts.ts`): `command`, a timer or a hook with its number, or `entry`.
 */
export class EngineError extends Error {
  override readonly name = 'EngineError'
  readonly index: number
  readonly part: string
  constructor(index: number, part: string, cause: unknown) {
    super(`the engine failed inside apply of entry ${index} (${part}); this node stops applying here`, { cause })
    this.index = index
    this.part = part
  }
}

/** Thrown by a machine (or its kit) whose invariant does not hold; becomes MACHINE_ERROR{reason: INTERNAL_INVARIANT}. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError'
}

/** Whether it says that an invariant does not hold: the machine's, or of what it was given to work with. */
export function isInvariant(error: unknown): boolean {
  return error instanceof InvariantError || error instanceof AssertionError
}

/**
 * The messages V8 gives to errors that depend on the machine's memory or stack, not on the arguments. Other RangeErrors
 * (`toFixed(101)`, `repeat(-1)`) are a function of their arguments, hence ordinary bugs with an ordinary outcome.
 */
const ENGINE_MESSAGES = [
  'Maximum call stack size exceeded',
  'Invalid array length',
  'Invalid string length',
  'Invalid typed array length',
  'Invalid array buffer length',
  'Array buffer allocation failed',
  'Map maximum size exceeded',
  'Set maximum size exceeded',
  'Maximum BigInt size exceeded',
  'out of memory',
]

/** True for an error that only the engine's own limits explain. */
export function isEngineError(error: unknown): boolean {
  if (error instanceof EngineError) return true
  if (!(error instanceof RangeError)) return false
  return ENGINE_MESSAGES.some((message) => error.message.toLowerCase().includes(message.toLowerCase()))
}
