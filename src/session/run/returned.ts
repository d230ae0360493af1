import type { Value } from '../../codec/value/value.ts'
import type { MachineContext } from '../user-machine.ts'

/** What a machine's function returned, which may be anything. */
export function isThenable(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  // An asynchronous generator's steps are promises.
  return ('then' in value && typeof value.then === 'function') || Symbol.asyncIterator in value
}

/** What a long function does step by step: each `next` is one, after which the host may do something else for a while. */
export function isSteps(value: unknown): value is Iterator<unknown, unknown, undefined> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value && 'next' in value
}

export function isValue(outcome: unknown): outcome is { kind: 'value'; value: Value } {
  return (
    typeof outcome === 'object' &&
    outcome !== null &&
    'kind' in outcome &&
    outcome.kind === 'value' &&
    'value' in outcome
  )
}

export function isReject(outcome: unknown): outcome is { kind: 'reject'; code: string; details: Value } {
  if (typeof outcome !== 'object' || outcome === null) return false
  if (!('kind' in outcome) || outcome.kind !== 'reject') return false
  return 'code' in outcome && typeof outcome.code === 'string' && 'details' in outcome
}

/** A rejection as the error of a function that must not reject. */
export function rejectedWith(returned: unknown): Error {
  return new Error(`it rejected with ${isReject(returned) ? returned.code : ''}`)
}

/** The steps of a function that is run: those that it returns, or itself as one. A promise in place of a step ends it. */
export function* stepsOf(
  body: (context: MachineContext) => unknown,
  context: MachineContext,
): Generator<void, unknown> {
  const returned = body(context)
  if (!isSteps(returned)) return returned
  for (;;) {
    const { done, value } = returned.next()
    if (done === true || isThenable(value)) return value
    yield
  }
}
