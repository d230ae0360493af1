import type { SessionNumbers } from '../../codec/entry/payload.ts'
import type { Value } from '../../codec/value/value.ts'

/**
 * What names a session that was opened before, to take it up again (possibly in another process). Numbers and text alone,
 * so that it is the same after `JSON.parse(JSON.stringify(token))`.
 */
export interface SessionToken extends SessionNumbers {
  /** 16 to 64 bytes in lower-case hexadecimal. Whoever has it is the session: keep it as a secret. */
  readonly secret: string
  /** Attach epoch of its holder when the token was made; 0: not known. A hint: an older one costs one more round trip. */
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

/** A secret as its token says it. */
export function secretText(secret: Uint8Array): string {
  return Buffer.from(secret).toString('hex')
}

/** The inverse; whether it is one, `SessionToken` says. */
export function secretBytes(text: string): Uint8Array {
  return Buffer.from(text, 'hex')
}
