/** A programmer error: the process must not go on (architecture.md §9.3). Carries the values that broke the rule. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError'
}

/**
 * Crashes with a sentence and the values when `condition` does not hold. For programmer errors only: an operating error
 * is a union value, a disk fault stops the node.
 */
export function assert(condition: boolean, message: string, values?: Record<string, unknown>): asserts condition {
  if (condition) return
  throw new AssertionError(values === undefined ? message : `${message} ${render(values)}`)
}

/** The end of every exhaustive switch: the compiler proves that it is never reached. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable case ${JSON.stringify(value)}`)
}

function render(values: Record<string, unknown>): string {
  return JSON.stringify(values, (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value))
}
