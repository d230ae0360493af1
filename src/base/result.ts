/** An operation that can be refused: the error is a value that the caller handles (architecture.md §9.3). */
export type Result<Value, Failure> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly error: Failure }

/** The result of an operation that was carried out. */
export const success = <Value>(value: Value): { readonly ok: true; readonly value: Value } => ({ ok: true, value })
/** The result of one that was refused, with the reason. */
export const failure = <Failure>(error: Failure): { readonly ok: false; readonly error: Failure } => ({
  ok: false,
  error,
})
