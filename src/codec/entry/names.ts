/**
 * What names, roles and principals may be: read by the log's payloads, by frames (protocol/limits.ts), by the gateway, by
 * the session layer and by the client library, so that none of them takes what another cannot carry.
 */

/**
 * Longest name of a machine, command, query, request type, role or code, bytes. The packed payload of a command has room
 * for more (client-request.ts).
 */
export const NAME_BYTES_MAX = 128

/** Longest name of a schedule, UTF-16 units: a kind and the id of what it is for. */
export const SCHEDULE_NAME_CHARS_MAX = 512

/** Most roles of a session: 64 of the longest names are 8 KiB of its open. */
export const ROLES_MAX = 64

/** Longest client name of a session, UTF-16 units. */
export const CLIENT_NAME_CHARS_MAX = 512

/** Longest principal that a payload holds, characters; `isPrincipal` allows no more than 161. */
export const PRINCIPAL_CHARS_MAX = 512

/** `kind:id`; `system` is the timers' own and can never be claimed. */
const PRINCIPAL = /^(?!system(?::|$))[a-z][a-z0-9-]{0,31}:[A-Za-z0-9._@+:/-]{1,128}$/

/** True for what a client may act as. */
export function isPrincipal(text: string): boolean {
  return PRINCIPAL.test(text)
}

/** True for a text of at most `NAME_BYTES_MAX` bytes in UTF-8. */
export function fitsName(text: string): boolean {
  const { length } = text
  if (length > NAME_BYTES_MAX) return false
  let bytes = length
  for (let index = 0; index < length; index += 1) {
    const unit = text.charCodeAt(index)
    if (unit < 0x80) continue
    // A surrogate is half of four bytes.
    bytes += unit < 0x800 || (unit & 0xf800) === 0xd800 ? 1 : 2
  }
  return bytes <= NAME_BYTES_MAX
}

/** Versions of all machines together in one build: at 300 bytes each they fit the header of a peer frame (128 KiB). */
export const BUILD_VERSIONS_MAX = 256
