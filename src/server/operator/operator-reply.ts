import type { Refusal } from '../../gateway/refusal.ts'

/** Takes the answer to one call of an operator, or the refusal of it; once. */
export interface OperatorReply {
  answer(message: object): void
  /** `code`: of the error registry, scope `operator`. */
  refuse(code: string, details?: Refusal['details']): void
}
