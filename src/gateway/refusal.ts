import type { Value } from '../codec/value/value.ts'
import type { RaftNode, ReadRefusal, SubmitRefusal } from '../node/api.ts'
import type { RefusalCode } from '../session/state-machine.ts'
import type { ParseRefusal } from './gateway-options.ts'
import type { SealRefusal } from './personal/personal-keys.ts'

/** Why the gateway itself refuses: nothing was appended. */
export type GatewayRefusal =
  | 'VALIDATION_ERROR'
  | 'UNKNOWN_MACHINE'
  | 'MACHINE_NOT_ACTIVE'
  | 'UNKNOWN_COMMAND'
  | 'UNKNOWN_QUERY'
  | 'COMMAND_TOO_LARGE'
  | 'PRINCIPAL_INVALID'
  | 'NOT_ATTACHED'
  | 'CLUSTER_CHANGED'
  | 'WRONG_GROUP'
  | 'TOO_MANY_CHANNELS'
  | 'BEHIND'
  | SealRefusal

/** Every code that a client may see from the gateway; protocol/errors.ts explains each. */
export type GatewayCode = GatewayRefusal | SubmitRefusal | ReadRefusal | RefusalCode

/** A code with what belongs to it: limits, the field that is wrong, the leader's address. */
export interface Refusal {
  readonly code: GatewayCode
  readonly details: Value
}

export function refusal(code: GatewayCode, details: Value = null): Refusal {
  return { code, details }
}

/** HALTED with why, and whom to ask instead, when somebody else is known to lead; null while the node serves. */
export function haltedRefusal(node: RaftNode): Refusal | null {
  const { halted } = node
  return halted === null ? null : refusal('HALTED', { reason: halted.code, ...leaderOf(node) })
}

/** NOT_LEADER with the leader's id and client address, each "" as long as it is not known. */
export function notLeader(node: RaftNode): Refusal {
  return refusal('NOT_LEADER', leaderOf(node))
}

function leaderOf(node: RaftNode): { readonly leader: string; readonly address: string } {
  const { leader } = node
  return { leader: leader ?? '', address: leader === null ? '' : (node.addressOf(leader) ?? '') }
}

/** Why the node did not take a proposal (wire.md §3, step 7). */
export function submitRefusal(node: RaftNode, code: SubmitRefusal): Refusal {
  if (code === 'NOT_LEADER') return notLeader(node)
  return (code === 'HALTED' ? haltedRefusal(node) : null) ?? refusal(code)
}

/** A parser's refusal with its sentence and issues as plain data. */
export function parseRefusal(failure: ParseRefusal): Refusal {
  const issues = failure.details.issues.map((issue) => ({ path: issue.path, message: issue.message }))
  return refusal(failure.code, { message: failure.message, issues })
}
