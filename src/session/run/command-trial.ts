import { errorText } from '../../base/error-text.ts'
import { sessionId, type Millis } from '../../base/brand.ts'
import { fitsName } from '../../codec/entry/names.ts'
import type { Value } from '../../codec/value/value.ts'
import { ValueError } from '../../codec/value/value-error.ts'
import { SessionRecord } from '../clients/session-record.ts'
import type { MachineErrorReason } from '../machine-report.ts'
import { isText } from '../rows/row-fields.ts'
import { USER_PREFIX } from '../rows/row-keys.ts'
import type { ReplicatedState } from '../state/replicated-state.ts'
import type { CommandTrial, TriedCommand } from '../state-machine.ts'
import type { Outcome, UserStateMachine } from '../user-machine.ts'
import { Context } from './context.ts'
import { isEngineError, isInvariant } from './engine-error.ts'
import { isReject, isThenable, isValue } from './returned.ts'
import { Transaction } from './transaction.ts'
import { trialStateOf } from './trial-state.ts'

/**
 * What a command would do as the next entry, in a session opened just before it: it runs on a state of its own, of which
 * nothing stays. Timers that are due by `now`, and what machines do when a session opens, are not run before it.
 */
export function tryCommand(base: ReplicatedState, user: UserStateMachine, tried: TriedCommand): CommandTrial {
  const { state, timers, schedules } = trialStateOf(base, tried.now)
  const transaction = new Transaction(state)
  const context = new Context(state, transaction, { running: () => null, silent: () => true })
  const { machine, command, input } = tried
  transaction.begin(sessionOf(state, tried), true)
  const told = { index: state.index, now: state.now }
  try {
    const returned: unknown = user.apply(context, { machine, command, input })
    const outcome =
      outcomeOf(transaction, state, returned) ?? machineError(state, machine, reasonOf(transaction, returned))
    const committed = outcome.kind === 'value'
    const changes = committed ? transaction.writes.changes() : []
    if (committed) transaction.prepare()
    return {
      ...told,
      outcome,
      error: null,
      changes: changes.map((row) => ({ ...row, key: USER_PREFIX + row.key })),
      schedules: committed ? [...schedules.asked.values()] : [],
      timers: committed ? [...timers.asked.values()].map(({ row, ...timer }) => ({ ...timer, ...armed(row) })) : [],
      ...transaction.asked(committed),
    }
  } catch (error) {
    const outcome = machineError(state, machine, thrownReason(transaction, error))
    const stops = isEngineError(error) ? 'as an entry it would stop every node: ' : ''
    const nothing = { changes: [], timers: [], schedules: [], ...transaction.asked(null) }
    return { ...told, outcome, error: stops + errorText(error), ...nothing }
  } finally {
    transaction.abort()
  }
}

/** A live session that nobody can find; the entry that opens it would be the one before the command's. */
function sessionOf(state: ReplicatedState, { principal, roles }: TriedCommand): SessionRecord {
  const { group, incarnation, index, now, lease } = state
  const info = { id: sessionId(group, incarnation, index), principal, roles, capabilities: {}, name: '' }
  const terms = { group, incarnation, ordered: false, askedTimeoutMs: 0, timeoutMs: 0 }
  const times = { renewedLease: lease, renewedAtIndex: index, resentAt: now }
  const requests = { floor: 1, highest: 0, cachedBytes: 0, lastId: 0, acknowledged: 0, tailId: 0, outboxBytes: 0 }
  return new SessionRecord({ info, terms, index, epoch: 0, secret: '', nonce: '', ...times, ...requests })
}

const armed = (row: { readonly dueAt: Millis; readonly payload: Value } | null) => ({
  dueAt: row?.dueAt ?? null,
  payload: row?.payload ?? null,
})

/** As `MachineRunner` concludes; null: it fails. */
function outcomeOf(transaction: Transaction, state: ReplicatedState, returned: unknown): Outcome | null {
  if (transaction.invalidValue || isThenable(returned)) return null
  const outcome: unknown = transaction.rejection ?? returned
  if (isValue(outcome)) return fits(state, outcome.value) ? outcome : null
  if (!isReject(outcome) || !isText(outcome.code) || !fitsName(outcome.code)) return null
  return fits(state, outcome.details) ? outcome : null
}

/** Why there is no outcome of what was returned. */
function reasonOf(transaction: Transaction, returned: unknown): MachineErrorReason {
  if (transaction.invalidValue) return 'INVALID_VALUE'
  if (isThenable(returned)) return 'ASYNC_HANDLER'
  return isValue(returned) || isReject(returned) ? 'RESPONSE_TOO_LARGE' : 'INVALID_VALUE'
}

function thrownReason(transaction: Transaction, error: unknown): MachineErrorReason {
  if (error instanceof ValueError || transaction.invalidValue) return 'INVALID_VALUE'
  return isInvariant(error) ? 'INTERNAL_INVARIANT' : 'EXCEPTION'
}

function fits({ codec, limits }: ReplicatedState, value: Value): boolean {
  return codec.walk(value, { high: 0, low: 0 }) <= limits.responseBytesMax
}

function machineError({ index }: ReplicatedState, machine: string, reason: MachineErrorReason): Outcome {
  return { kind: 'reject', code: 'MACHINE_ERROR', details: { machine, index, reason } }
}
