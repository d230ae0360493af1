import { AssertionError, unreachable } from '../../base/assert.ts'
import { fitsName } from '../../codec/entry/names.ts'
import type { RunningHash } from '../../codec/value/running-hash.ts'
import type { Value } from '../../codec/value/value.ts'
import { ValueError } from '../../codec/value/value-error.ts'
import type { SessionRecord } from '../clients/session-record.ts'
import { Context } from './context.ts'
import { EngineError, InvariantError, isEngineError } from './engine-error.ts'
import { foldFailedHook, foldMachineError, foldRejection } from '../state/fold.ts'
import type { ReplicatedState } from '../state/replicated-state.ts'
import { isText } from '../rows/row-fields.ts'
import { Transaction } from './transaction.ts'
import type { MachineContext, Outcome, UserStateMachine } from '../user-machine.ts'

/** Bytes counted for an outcome beside its value or details. */
const OUTCOME_OVERHEAD_BYTES = 16

/** Reasons of MACHINE_ERROR; never a message or a stack, which differ between builds. */
export type MachineErrorReason =
  | 'EXCEPTION'
  | 'INTERNAL_INVARIANT'
  | 'INVALID_VALUE'
  | 'ASYNC_HANDLER'
  | 'RESPONSE_TOO_LARGE'

export interface Executed {
  readonly outcome: Outcome
  readonly bytes: number
}

type Rejection = Extract<Outcome, { kind: 'reject' }>

const NO_HOOKS: readonly never[] = []

/** Runs the user machine inside transactions and turns what it does into outcomes (FM-3). */
export class MachineRunner {
  readonly user: UserStateMachine
  private readonly context: Context
  private readonly transaction: Transaction
  private readonly state: ReplicatedState

  constructor(state: ReplicatedState, user: UserStateMachine) {
    this.state = state
    this.user = user
    this.transaction = new Transaction(state)
    this.context = new Context(state, this.transaction)
  }

  /** Runs one command: commit, reject or MACHINE_ERROR. */
  runCommand(session: SessionRecord, command: { machine: string; command: string; input: Value }): Executed {
    this.transaction.begin(session, true)
    try {
      return this.conclude(this.user.apply(this.context, command), command.machine)
    } catch (error) {
      return this.broken(command.machine, error)
    }
  }

  /**
   * Runs a command of the session layer itself that asks the user machine (a task's result): `body` returns the outcome.
   */
  runInternal(session: SessionRecord, machine: string, body: (context: MachineContext) => Outcome): Executed {
    this.transaction.begin(session, true)
    try {
      return this.conclude(body(this.context), machine)
    } catch (error) {
      return this.broken(machine, error)
    }
  }

  /** Runs a hook or timer in a transaction of its own; what throws is dropped, recorded and alerted. */
  runHook(part: string, session: SessionRecord | null, body: (context: MachineContext) => void): void {
    this.transaction.begin(session, false)
    try {
      const returned: unknown = body(this.context)
      const reason = isThenable(returned) ? 'ASYNC_HANDLER' : this.transaction.invalidValue ? 'INVALID_VALUE' : null
      if (reason === null) this.transaction.commit()
      else this.hookFailed(part, reason, null)
    } catch (error) {
      this.hookFailed(part, this.reasonOf(error, part), error)
    }
  }

  /**
   * onSessionCreated: like a hook, but it may reject. `accepted` or `rejected` runs between its verdict and its effects:
   * also a rejection has some (alerts, afterReject), and they must not find the session.
   */
  runCreated(session: SessionRecord, verdict: { accepted(): void; rejected(): void }): Outcome | null {
    this.transaction.begin(session, false)
    try {
      const returned: unknown = this.user.onSessionCreated(this.context, session.row.info)
      const broken = isThenable(returned) ? 'ASYNC_HANDLER' : this.transaction.invalidValue ? 'INVALID_VALUE' : null
      if (broken !== null || isReject(returned)) verdict.rejected()
      if (broken !== null) return this.createdFailed(broken, null)
      if (isReject(returned)) return this.concludeReject(returned, 'onSessionCreated').outcome
    } catch (error) {
      const reason = this.reasonOf(error, 'onSessionCreated')
      verdict.rejected()
      return this.createdFailed(reason, error)
    }
    verdict.accepted()
    this.transaction.commit()
    return null
  }

  /** The logged input does not decode: an outcome like any other, so that every replica answers alike. */
  refusedInput(machine: string): Executed {
    this.transaction.begin(null, true)
    return this.failed(machine, 'INVALID_VALUE', null)
  }

  /** MACHINE_ERROR as a response. */
  machineError(machine: string, reason: MachineErrorReason): Rejection {
    return { kind: 'reject', code: 'MACHINE_ERROR', details: { machine, index: this.state.index, reason } }
  }

  private conclude(returned: unknown, machine: string): Executed {
    const { transaction, state } = this
    if (transaction.invalidValue) return this.failed(machine, 'INVALID_VALUE', null)
    if (isThenable(returned)) return this.failed(machine, 'ASYNC_HANDLER', null)
    if (transaction.rejection !== null) return this.concludeReject(transaction.rejection, machine)
    if (isValue(returned)) {
      const bytes = state.codec.walk(returned.value, state.hash) + OUTCOME_OVERHEAD_BYTES
      if (bytes > state.limits.responseBytesMax) return this.failed(machine, 'RESPONSE_TOO_LARGE', null)
      transaction.commit()
      return { outcome: { kind: 'value', value: returned.value }, bytes }
    }
    if (!isReject(returned)) return this.failed(machine, 'INVALID_VALUE', null)
    return this.concludeReject(returned, machine)
  }

  /**
   * Drops writes and emissions; audit, alerts and afterReject stay. The details are walked aside first: the rollback puts
   * the running hash back, and a rejection that is no plain data keeps nothing.
   */
  private concludeReject(rejection: Rejection, machine: string): Executed {
    const { transaction, state } = this
    const { code, details } = rejection
    if (!isText(code) || !fitsName(code)) return this.failed(machine, 'INVALID_VALUE', null)
    const folded: RunningHash = { high: 0, low: 0 }
    const bytes = state.codec.walk(details, folded) + code.length + OUTCOME_OVERHEAD_BYTES
    if (bytes > state.limits.responseBytesMax) return this.failed(machine, 'RESPONSE_TOO_LARGE', null)
    const after = transaction.afterReject.length === 0 ? NO_HOOKS : [...transaction.afterReject]
    const { session } = transaction
    transaction.reject()
    foldRejection(state, code, folded)
    for (const run of after) this.runHook('afterReject', session, run)
    return { outcome: { kind: 'reject', code, details }, bytes }
  }

  private broken(machine: string, error: unknown): Executed {
    return this.failed(machine, this.reasonOf(error, 'command'), error)
  }

  private failed(machine: string, reason: MachineErrorReason, error: unknown): Executed {
    this.transaction.abort()
    this.report(`machine ${machine} failed: ${hint(reason)}`, reason, error)
    const outcome = this.machineError(machine, reason)
    const { codec, hash } = this.state
    foldMachineError(this.state, outcome.code)
    return { outcome, bytes: codec.walk(outcome.details, hash) + outcome.code.length + OUTCOME_OVERHEAD_BYTES }
  }

  private createdFailed(reason: MachineErrorReason, error: unknown): Outcome {
    this.hookFailed('onSessionCreated', reason, error)
    return this.machineError('onSessionCreated', reason)
  }

  private hookFailed(part: string, reason: MachineErrorReason, error: unknown): void {
    this.transaction.abort()
    this.report(`${part} failed: ${hint(reason)}`, reason, error)
    const { state } = this
    foldFailedHook(state, reason)
    this.transaction.begin(null, false)
    this.transaction.audit({ kind: 'MACHINE_ERROR', part, reason })
    this.transaction.alert('MACHINE_ERROR', { part, index: state.index, reason })
    this.transaction.commit()
  }

  /** The reason of an error, or throws EngineError when it is none of the machine's. */
  private reasonOf(error: unknown, part: string): MachineErrorReason {
    if (isEngineError(error)) throw new EngineError(this.state.index, part, error)
    if (error instanceof ValueError || this.transaction.invalidValue) return 'INVALID_VALUE'
    if (error instanceof InvariantError || error instanceof AssertionError) return 'INTERNAL_INVARIANT'
    return 'EXCEPTION'
  }

  private report(message: string, reason: MachineErrorReason, error: unknown): void {
    this.state.log({ level: 'error', message, fields: { index: this.state.index, reason, error } })
  }
}

function hint(reason: MachineErrorReason): string {
  switch (reason) {
    case 'ASYNC_HANDLER':
      return 'its handler returned a promise; handlers are synchronous: emit a request or a task, let a worker do the waiting, and take its answer as a new command'
    case 'INVALID_VALUE':
      return 'it set, emitted or returned something that is not plain data'
    case 'RESPONSE_TOO_LARGE':
      return 'its response is larger than the limit'
    case 'INTERNAL_INVARIANT':
      return 'an invariant does not hold'
    case 'EXCEPTION':
      return 'it threw'
    default:
      return unreachable(reason)
  }
}

function isThenable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

function isValue(outcome: unknown): outcome is { kind: 'value'; value: Value } {
  return (
    typeof outcome === 'object' &&
    outcome !== null &&
    'kind' in outcome &&
    outcome.kind === 'value' &&
    'value' in outcome
  )
}

function isReject(outcome: unknown): outcome is { kind: 'reject'; code: string; details: Value } {
  if (typeof outcome !== 'object' || outcome === null) return false
  if (!('kind' in outcome) || outcome.kind !== 'reject') return false
  return 'code' in outcome && typeof outcome.code === 'string' && 'details' in outcome
}
