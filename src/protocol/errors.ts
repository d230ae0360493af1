import type { ErrorScope } from './errors/row.ts'
import { ERROR_TABLE } from './errors/table.ts'
import type { GrpcStatusName } from './grpc-status.ts'

export type { ErrorScope } from './errors/row.ts'
export { GRPC_STATUS } from './grpc-status.ts'

/**
 * The one registry of errors (wire.md §6): every code that leaves a process, by scope, with its gRPC status, what
 * happened, what to do next, and whether the same call may be repeated as it is. `holdfast explain CODE` prints it.
 */
export interface ErrorEntry {
  readonly status: GrpcStatusName
  /** The same call may be sent again, unchanged, and can succeed. */
  readonly retryable: boolean
  readonly cause: string
  readonly cure: string
}

/** The entry of a code in a scope, or null. */
export function explainError(scope: ErrorScope, code: string): ErrorEntry | null {
  const row = Object.hasOwn(ERROR_TABLE[scope], code) ? ERROR_TABLE[scope][code] : undefined
  if (row === undefined) return null
  const [status, retryable, cause, cure] = row
  return { status, retryable, cause, cure }
}

/** Every (scope, code) with its entry: all scopes of one code, or everything. */
export function listErrors(
  code?: string,
): readonly { readonly scope: ErrorScope; readonly code: string; readonly entry: ErrorEntry }[] {
  return (Object.keys(ERROR_TABLE) as ErrorScope[]).flatMap((scope) =>
    Object.keys(ERROR_TABLE[scope])
      .filter((name) => code === undefined || name === code)
      .flatMap((name) => {
        const entry = explainError(scope, name)
        return entry === null ? [] : [{ scope, code: name, entry }]
      }),
  )
}

/** May the same copy be sent again? Unknown codes may not. */
export function isRetryable(scope: ErrorScope, code: string): boolean {
  return explainError(scope, code)?.retryable ?? false
}
