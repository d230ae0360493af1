import { failure, type Result, success } from '../../base/result.ts'

/**
 * Something that a caller handed over cannot be used: nothing was taken, sent or changed. Functions that return a promise
 * reject with it or give it as an outcome; those that do not throw it at once.
 */
export class InvalidArgument extends TypeError {
  override readonly name = 'InvalidArgument'
  /** `INVALID`; `PRINCIPAL_INVALID` of a principal, `VALIDATION_ERROR` of an input. In the registry of errors. */
  readonly code: string
  /** Path to what is wrong: `options.deadlineMs`, `roles[2]`, `input.items[3].price`. */
  readonly field: string
  /** What is wrong with it, to be read behind the field. */
  readonly problem: string

  constructor(field: string, problem: string, code = 'INVALID') {
    super(`${field} ${problem}`)
    this.code = code
    this.field = field
    this.problem = problem
  }
}

/**
 * The outcome of a check that throws InvalidArgument. Whatever else it throws came out of the value itself (a getter, a
 * proxy), and is the problem of `field`.
 */
export function checked<Checked>(field: string, check: () => Checked): Result<Checked, InvalidArgument> {
  try {
    return success(check())
  } catch (error) {
    return failure(isInvalid(error) ? error : new InvalidArgument(field, `cannot be read: ${sentenceOf(error)}`))
  }
}

/** The same for functions without a promise: throws InvalidArgument and nothing else. */
export function orThrow<Checked>(field: string, check: () => Checked): Checked {
  const result = checked(field, check)
  if (!result.ok) throw result.error
  return result.value
}

/** What was thrown, in words, whatever it is: even looking at it may throw. */
export function sentenceOf(error: unknown): string {
  try {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  } catch {
    return 'something that cannot be shown'
  }
}

function isInvalid(error: unknown): error is InvalidArgument {
  try {
    return error instanceof InvalidArgument
  } catch {
    return false
  }
}
