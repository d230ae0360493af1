import type { ClientRequestPayload } from '../../codec/entry/payload.ts'
import type { Value } from '../../codec/value/value.ts'
import { ValueError } from '../../codec/value/value-error.ts'
import type { SessionRecord } from '../clients/session-record.ts'
import type { Executed, MachineRunner } from '../run/machine-runner.ts'
import { acknowledge } from '../clients/outbox.ts'
import { checkEpoch, type Refused, refused, refuseUnknown } from './replies.ts'
import type { ReplicatedState } from '../state/replicated-state.ts'
import { cachedResponse, cacheResponse, raiseFloor } from '../clients/response-cache.ts'
import { assignToRolesOf } from '../run/task-assignment.ts'
import { applyTaskCommand } from './task-command.ts'
import { TASK_MACHINE } from '../tables/tasks.ts'
import type { Reply } from '../state-machine.ts'

/**
 * ClientRequest in the order of sessions.md §3; the numbers are its steps. Nothing changes before step 3; no refusal up to
 * step 10 has executed anything.
 */
export function applyClientRequest(
  state: ReplicatedState,
  runner: MachineRunner,
  request: ClientRequestPayload,
): Reply {
  const session = state.sessions.find(request)
  if (session === null) return refuseUnknown(state, request) // 1
  const { requestId } = request
  const refusal = checkEpoch(session, request.epoch) ?? checkNumbers(request) // 2
  if (refusal !== null) return refusal
  state.renew(session) // 3
  const invalidAck = !applyRidingAck(state, session, request.ackServerRequests)
  raiseFloor(state, session, Math.min(request.lowestPendingRequestId, requestId)) // 4
  if (requestId < session.row.floor) return refused('RESPONSE_EVICTED', { floor: session.row.floor }) // 5
  const cached = cachedResponse(session, requestId) // 6
  if (cached !== null) {
    if (cached.hashHigh !== request.hashHigh || cached.hashLow !== request.hashLow) return refused('REQUEST_CONFLICT')
    return { kind: 'outcome', outcome: cached.outcome, replayed: true, index: cached.index, invalidAck }
  }
  const unexecuted = checkExecutable(state, session, request) // 7–10
  if (unexecuted !== null) return unexecuted
  const executed = run(state, runner, session, request) // 11, 13, 14
  cacheResponse(state, session, {
    requestId,
    hashHigh: request.hashHigh,
    hashLow: request.hashLow,
    index: state.index,
    outcome: executed.outcome,
    bytes: executed.bytes,
  }) // 12
  return { kind: 'outcome', outcome: executed.outcome, replayed: false, index: state.index, invalidAck }
}

function checkNumbers(request: ClientRequestPayload): Refused | null {
  if (!isRequestId(request.requestId)) return refused('INVALID', { reason: 'REQUEST_ID' })
  if (!isRequestId(request.lowestPendingRequestId)) return refused('INVALID', { reason: 'LOWEST_PENDING_REQUEST_ID' })
  return null
}

function isRequestId(id: number): boolean {
  return Number.isSafeInteger(id) && id >= 1
}

/** False for an ack beyond the last id: the request proceeds, flagged. 0 is none. */
function applyRidingAck(state: ReplicatedState, session: SessionRecord, upTo: number): boolean {
  if (upTo === 0) return true
  if (!Number.isSafeInteger(upTo) || upTo < 0 || upTo > session.row.lastId) return false
  if (upTo > session.row.acknowledged) {
    acknowledge(state, session, upTo)
    assignToRolesOf(state, session)
  }
  return true
}

function checkExecutable(
  state: ReplicatedState,
  session: SessionRecord,
  request: ClientRequestPayload,
): Refused | null {
  const { limits } = state
  const { floor, highest, terms, cachedBytes } = session.row
  const { requestId, machine } = request
  const active = state.versions.active(machine)
  if (request.version !== active) return refused('VERSION_CHANGED', { machine, active })
  if (requestId >= floor + limits.windowRequests)
    return refused('WINDOW_EXCEEDED', { floor, window: limits.windowRequests })
  const expected = Math.max(highest + 1, floor)
  if (terms.ordered && requestId !== expected) return refused('OUT_OF_ORDER', { expected })
  if (requestId === floor) return null
  const full = cachedBytes + limits.responseBytesMax > limits.cachedBytesMax
  if (full || session.responses.length >= limits.cachedResponsesMax) return refused('RESPONSE_BACKLOG', { floor })
  return null
}

function run(
  state: ReplicatedState,
  runner: MachineRunner,
  session: SessionRecord,
  request: ClientRequestPayload,
): Executed {
  const input = decodeInput(state, request.input)
  if (input === undefined) return runner.refusedInput(session, request)
  const { machine, command } = request
  if (machine === TASK_MACHINE) return applyTaskCommand(state, runner, session, { command, input })
  return runner.runCommand(session, { machine, command, input })
}

/** Undefined for bytes that no value encodes to: the leader parsed them, so this is a bug somewhere, not the machine's. */
function decodeInput(state: ReplicatedState, bytes: Uint8Array): Value | undefined {
  try {
    return state.codec.decodeInput(bytes)
  } catch (error) {
    if (error instanceof ValueError) return undefined
    throw error
  }
}
