import { AssertionError, unreachable } from '../../base/assert.ts'
import type { Entry, EntryKind } from '../../codec/entry/entry.ts'
import type { ClientRequestPayload, PayloadByKind } from '../../codec/entry/payload.ts'
import { ValueError } from '../../codec/value/value-error.ts'
import { runWaitEnds } from '../run/hooks.ts'
import type { MachineRunner } from '../run/machine-runner.ts'
import { ENTRY_PART } from '../skipped-parts.ts'
import type { ReplicatedState } from '../state/replicated-state.ts'
import type { Reply } from '../state-machine.ts'
import { applyAdvanceVersion } from './advance-version.ts'
import { applyAttachSession } from './attach-session.ts'
import { applyClientRequest } from './client-request.ts'
import { applyCloseSession } from './close-session.ts'
import { applyConfiguration } from './configuration.ts'
import { applyExpireSessions } from './expire-sessions.ts'
import { applyKeepAlive } from './keep-alive.ts'
import { applyLimits } from './limits.ts'
import { applyOpenSession } from './open-session.ts'
import { applyEvictSession } from './operator/evict-session.ts'
import { applyForgetSubject } from './operator/forget-subject.ts'
import { applyMoveDeadLetters } from './operator/move-dead-letters.ts'
import { applyScheduleNext } from '../schedules/schedule-next.ts'
import { NO_REPLY, refused } from './replies.ts'
import { applyRetryServerRequests } from './retry-server-requests.ts'
import { applyServerRequestAck } from './server-request-ack.ts'

/**
 * What an entry does by its kind (sessions.md §1), once the timers that are due before it have fired; then the waits that it
 * has ended are told (docs/waits.md). A payload that does
 * not decode changes nothing and is answered like any other refusal.
 */
export function applyEntry(state: ReplicatedState, runner: MachineRunner, entry: Entry): Reply {
  if (runner.skips(ENTRY_PART)) return SKIPPED
  try {
    const reply = isLong(entry.kind) ? atOnce(longKind(state, runner, entry)) : applyKind(state, runner, entry)
    runWaitEnds(state, runner)
    return reply
  } catch (error) {
    if (error instanceof PayloadError) return refused('INVALID', { reason: 'PAYLOAD' })
    throw error
  }
}

/** Kinds that are applied in steps: they may have any number of rows to change, or of sessions to end. */
export function isLong(kind: EntryKind): kind is 'AdvanceVersion' | 'ExpireSessions' {
  return kind === 'AdvanceVersion' || kind === 'ExpireSessions'
}

/** As `applyEntry`, in steps, for a kind that is long. What an AdvanceVersion has published is still to be settled then. */
export function* applyInSteps(state: ReplicatedState, runner: MachineRunner, entry: Entry): Generator<void, Reply> {
  if (runner.skips(ENTRY_PART)) return SKIPPED
  try {
    const reply = yield* longKind(state, runner, entry)
    runWaitEnds(state, runner)
    return reply
  } catch (error) {
    if (error instanceof PayloadError) return refused('INVALID', { reason: 'PAYLOAD' })
    throw error
  }
}

function longKind(state: ReplicatedState, runner: MachineRunner, entry: Entry): Generator<void, Reply> {
  if (entry.kind === 'ExpireSessions') return applyExpireSessions(state, runner, decode(state, 'ExpireSessions', entry))
  return applyAdvanceVersion(state, runner, decode(state, 'AdvanceVersion', entry))
}

function atOnce(steps: Generator<void, Reply>): Reply {
  for (;;) {
    const { done, value } = steps.next()
    if (done === true) return value
  }
}

function applyKind(state: ReplicatedState, runner: MachineRunner, entry: Entry): Reply {
  switch (entry.kind) {
    case 'ClientRequest':
      return applyClientRequest(state, runner, decodeRequest(state, entry))
    case 'ServerRequestAck':
      return applyServerRequestAck(state, decode(state, 'ServerRequestAck', entry))
    case 'KeepAlive':
      return applyKeepAlive(state, decode(state, 'KeepAlive', entry))
    case 'OpenSession':
      return applyOpenSession(state, runner, decode(state, 'OpenSession', entry))
    case 'AttachSession':
      return applyAttachSession(state, decode(state, 'AttachSession', entry))
    case 'CloseSession':
      return applyCloseSession(state, runner, decode(state, 'CloseSession', entry))
    case 'RetryServerRequests':
      return applyRetryServerRequests(state, runner, decode(state, 'RetryServerRequests', entry))
    case 'Configuration':
      return applyConfiguration(state, decode(state, 'Configuration', entry))
    case 'Limits':
      return applyLimits(state, decode(state, 'Limits', entry))
    case 'AdvanceVersion':
    case 'ExpireSessions':
      throw new AssertionError(`${entry.kind} is applied in steps`)
    case 'EvictSession':
      return applyEvictSession(state, runner, decode(state, 'EvictSession', entry))
    case 'MoveDeadLetters':
      return applyMoveDeadLetters(state, decode(state, 'MoveDeadLetters', entry))
    case 'ScheduleNext':
      return applyScheduleNext(state, decode(state, 'ScheduleNext', entry))
    case 'ForgetSubject':
      return applyForgetSubject(state, decode(state, 'ForgetSubject', entry))
    // Their clocks, and the timers that those have made due, are all they bring; a Snapshot is a boundary besides
    // (`closesInterval`). What a SkipEntry names was not run where it stands (sessions.md §10), as `VersionGate` has checked.
    case 'Noop':
    case 'Tick':
    case 'Snapshot':
    case 'SkipEntry':
      return NO_REPLY
    default:
      return unreachable(entry.kind)
  }
}

/** Of an entry whose own part was skipped: nothing of it was executed. */
const SKIPPED = refused('INVALID', { reason: 'SKIPPED' })

function decodeRequest({ codec }: ReplicatedState, entry: Entry): ClientRequestPayload {
  try {
    return codec.decodeClientRequest(entry.payload)
  } catch (error) {
    throw error instanceof ValueError ? new PayloadError(error) : error
  }
}

function decode<Kind extends keyof PayloadByKind>(
  { codec }: ReplicatedState,
  kind: Kind,
  entry: Entry,
): PayloadByKind[Kind] {
  try {
    return codec.decodePayload(kind, entry.payload)
  } catch (error) {
    throw error instanceof ValueError ? new PayloadError(error) : error
  }
}

/** An entry's payload does not decode. Never leaves `applyEntry`; a ValueError of a machine is another matter. */
class PayloadError extends Error {
  constructor(cause: ValueError) {
    super('the payload does not decode', { cause })
  }
}
