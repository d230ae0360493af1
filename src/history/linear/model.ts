import type { Operation } from '../history.ts'

/** What a step says of a state in which the operation cannot have had its outcome. */
export const IMPOSSIBLE = Symbol('impossible')

/** What one object does, one operation after the other. States are compared by `===`. */
export interface Model<State extends string | number | boolean | null> {
  /** Before the first operation. */
  readonly initial: State
  /** Names of operations that change nothing. */
  readonly reads: readonly string[]
  /**
   * What the operation makes of a state: the next one, or IMPOSSIBLE where its outcome does not fit. One whose outcome is
   * unknown fits always. Throws HistoryError for an operation that the object does not have.
   */
  stepOf(operation: Operation): (state: State) => State | typeof IMPOSSIBLE
}
