import { MINUTE_MS } from '../base/time.ts'
import { LIMIT_MS_MAX } from '../codec/entry/default-limits.ts'
import type { Limits } from '../codec/entry/payload.ts'
import { isName } from '../codec/entry/client-request.ts'
import { isPrincipal } from '../codec/entry/names.ts'
import {
  CLIENT_NAME_CHARS_MAX,
  NAME_BYTES_MAX,
  NONCE_BYTES,
  ROLES_MAX,
  SECRET_BYTES_MAX,
  SECRET_BYTES_MIN,
} from '../protocol/limits.ts'
import type { AttachMessage, OpenMessage, RequestMessage } from '../protocol/up-frame.ts'
import type { CommandParser } from './gateway-options.ts'
import { parseRefusal, type Refusal, refusal } from './refusal.ts'

/** `validUntil` may lie this far ahead (sessions.md §4), so that a tombstone outlives every copy of an open. */
const VALID_AHEAD_MAX_MS = 5 * MINUTE_MS

/**
 * What is wrong with an open before it is appended, or null (wire.md §3, step 2). A timeout beyond the limits is
 * clamped by apply.
 */
export function checkOpen(request: OpenMessage, logNow: number): Refusal | null {
  if (!isSecret(request.secret)) return refusal('INVALID', { field: 'secret' })
  if (!isPrincipal(request.principal)) return refusal('PRINCIPAL_INVALID', { principal: request.principal })
  if (request.roles.length > ROLES_MAX || !request.roles.every(isRole)) return refusal('INVALID', { field: 'roles' })
  if (request.name.length > CLIENT_NAME_CHARS_MAX)
    return refusal('INVALID', { field: 'name', max: CLIENT_NAME_CHARS_MAX })
  if (!isId(request.timeoutMs) || request.timeoutMs > LIMIT_MS_MAX)
    return refusal('INVALID', { field: 'timeoutMs', max: LIMIT_MS_MAX })
  if (!isId(request.validUntil) || request.validUntil > logNow + VALID_AHEAD_MAX_MS)
    return refusal('INVALID', { field: 'validUntil', now: logNow })
  return null
}

/** What is wrong with an attach in itself, or null; whose session it is, apply judges (wire.md §3, step 3). */
export function checkAttach(request: AttachMessage): Refusal | null {
  if (!isSecret(request.secret)) return refusal('INVALID', { field: 'secret' })
  if (request.nonce.length !== NONCE_BYTES) return refusal('INVALID', { field: 'nonce' })
  if (!Number.isSafeInteger(request.replaces) || request.replaces < 0) return refusal('INVALID', { field: 'replaces' })
  if (!isId(request.index)) return refusal('INVALID', { field: 'index' })
  return null
}

/** What is wrong with a call's proof of its session: an epoch that no attach could have given fits no payload. */
export function checkProof(proof: { readonly epoch: number; readonly secret: Uint8Array }): Refusal | null {
  if (!isSecret(proof.secret)) return refusal('INVALID', { field: 'secret' })
  return Number.isSafeInteger(proof.epoch) && proof.epoch >= 0 ? null : refusal('INVALID', { field: 'epoch' })
}

/** What is wrong with a command's envelope; its input is the parser's to judge. */
export function checkCommand(request: RequestMessage, limits: Limits): Refusal | null {
  if (!isId(request.requestId)) return refusal('INVALID', { field: 'requestId' })
  if (!isId(request.lowestPendingRequestId)) return refusal('INVALID', { field: 'lowestPendingRequestId' })
  if (!Number.isSafeInteger(request.ackServerRequests) || request.ackServerRequests < 0)
    return refusal('INVALID', { field: 'ackServerRequests' })
  if (request.input.length > limits.commandBytesMax) {
    return refusal('COMMAND_TOO_LARGE', { bytes: request.input.length, max: limits.commandBytesMax })
  }
  if (request.machine.length > NAME_BYTES_MAX || request.command.length > NAME_BYTES_MAX)
    return refusal('INVALID', { field: 'command' })
  return null
}

/** A command's input as the log takes it, with the version that it fits; or why there is none. */
export function parseCommand(
  host: { parse(machine: string, command: string, bytes: Uint8Array): ReturnType<CommandParser> },
  { machine, command, input }: RequestMessage,
): { readonly ok: true; readonly input: Uint8Array; readonly version: number } | { readonly ok: false; bad: Refusal } {
  const parsed = host.parse(machine, command, input)
  if (!parsed.ok) return { ok: false, bad: parseRefusal(parsed) }
  // A machine without a list of commands lets any name through; the log holds printable ASCII only.
  return isName(machine) && isName(command) ? parsed : { ok: false, bad: refusal('INVALID', { field: 'command' }) }
}

/** A name in printable ASCII: its characters are its bytes. */
function isRole(role: string): boolean {
  return role.length <= NAME_BYTES_MAX && isName(role)
}

/** True for 1 … 2^53−1. */
export function isId(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0
}

function isSecret(secret: Uint8Array): boolean {
  return secret.length >= SECRET_BYTES_MIN && secret.length <= SECRET_BYTES_MAX
}

/** Compares all bytes whatever they are, so that time tells nothing about a secret. */
export function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false
  let difference = 0
  for (let index = 0; index < left.length; index += 1) difference |= (left[index] as number) ^ (right[index] as number)
  return difference === 0
}
