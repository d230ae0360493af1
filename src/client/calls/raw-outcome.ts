import type { Value } from '../../codec/value/value.ts'

/** What became of a command, with bytes still encoded (sessions.md §7). */
export type RawOutcome =
  /** Executed. `replayed`: the answer comes from the response cache. */
  | { readonly kind: 'ok'; readonly index: number; readonly replayed: boolean; readonly value: Uint8Array }
  /** Executed, and refused by the machine. */
  | {
      readonly kind: 'rejected'
      readonly index: number
      readonly replayed: boolean
      readonly code: string
      readonly details: Uint8Array
    }
  /** Definite: it was not and will not be executed. */
  | { readonly kind: 'notExecuted'; readonly code: string; readonly details: Uint8Array }
  /** It may have been executed, or may still be. */
  | { readonly kind: 'unknown'; readonly code: string }

/** An encoded null. */
export const NO_DETAILS: Uint8Array = Uint8Array.of(0xc0)

/** A number in the details of a refusal; null when there is none of that name. */
export function numberIn(details: Value, name: string): number | null {
  const found = Object.entries(details ?? {}).find(([key]) => key === name)
  return typeof found?.[1] === 'number' ? found[1] : null
}
