import { askLeader } from './ask-leader.ts'

/** What `forgetSubject` has come to. */
export interface ForgottenSubject {
  /** Of the entry that has forgotten it, this time or before. */
  readonly index: number
  /** Voters that may still have a key of it: they destroy it as they come back; ask again to know that they have. */
  readonly missing: readonly string[]
  readonly by: { readonly node: string; readonly term: number; readonly appliedIndex: number }
}

/**
 * Has every key of a subject destroyed: its personal fields read as forgotten from then on, in every copy of the data, and
 * nothing
 * new is taken in about it. For good. Safe to repeat. Rejects with OperatorError.
 */
export async function forgetSubject(endpoints: readonly string[], subject: string): Promise<ForgottenSubject> {
  return (await askLeader(endpoints, { method: 'Forget', request: { subject } })) as ForgottenSubject
}
