import type { Value } from '../../codec/value/value.ts'

/** Why a personal field cannot be sealed (docs/decisions/erasure.md). */
export type SealRefusal = 'SUBJECT_FORGOTTEN' | 'SUBJECT_KEY_PENDING'

/** The keys of personal fields, as a gateway uses them: fields are sealed as they come in, and opened as they go out. */
export interface PersonalKeys {
  /** The sealed value, bytes; or why there is none. A key that is missing is on its way from then on. */
  seal(subject: string, value: Value): Uint8Array | SealRefusal
  /**
   * The value with everything that is sealed in it opened, or marked as forgotten; itself when nothing is. Undefined: this node
   * waits for a key, and `whenKeysChange` tells when to ask again.
   */
  open(value: Value): Value | undefined
  /**
   * Calls back each time that keys of any subject came (true), and once, as the last, when the time of this wait is over
   * (false). Never during the call. Returns what ends the wait: nothing is called after it.
   */
  whenKeysChange(done: (changed: boolean) => void): () => void
  /**
   * Resolves once the keys of a subject that the applied entry at `index` has forgotten are destroyed here, with the voters
   * that have
   * not said the same of theirs in time.
   */
  destroyed(subject: Uint8Array, index: number): Promise<{ readonly missing: readonly string[] }>
  /** Ends what waits, and the files. */
  close(): Promise<void>
}
