import type { SessionNumbers } from '../../codec/entry/payload.ts'
import type { Value } from '../../codec/value/value.ts'

/** What names a session that was opened before, to take it up again (possibly in another process). */
export interface SessionToken extends SessionNumbers {
  /** Whoever has it is the session: keep it as a secret. */
  readonly secret: Uint8Array
  /** Attach epoch of its last holder; 0: not known. */
  readonly epoch: number
}

/** How a session is opened (wire.md §3.2, §8.3). */
export interface SessionSettings {
  /** Who acts, `kind:id`. */
  readonly principal: string
  readonly roles: readonly string[]
  readonly capabilities: { readonly [name: string]: Value }
  /** Shown to operators. */
  readonly name: string
  /** The server ends the session after this long without a sign of life, ms; what it grants comes with the attach. */
  readonly timeoutMs: number
  /** The server refuses a command whose predecessor is missing. */
  readonly ordered: boolean
  /** Takes up this session instead of opening one; then the rest was said when it was opened. */
  readonly resume: SessionToken | null
}
