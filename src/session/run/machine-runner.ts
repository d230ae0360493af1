import { fitsName } from '../../codec/entry/names.ts'
import type { RunningHash } from '../../codec/value/running-hash.ts'
import type { Value } from '../../codec/value/value.ts'
import { ValueError } from '../../codec/value/value-error.ts'
import type { SessionRecord } from '../clients/session-record.ts'
import { Context } from './context.ts'
import { EngineError, isEngineError, isInvariant } from './engine-error.ts'
import { foldFailedHook, foldMachineError, foldRejection } from '../state/fold.ts'
import type { ReplicatedState } from '../state/replicated-state.ts'
import { isText } from '../rows/row-fields.ts'
import { NondeterminismError, Rehearsal } from './rehearsal.ts'
import { isReject, isThenable, isValue, rejectedWith, stepsOf } from './returned.ts'
import { COMMAND_PART, NONE_SKIPPED, partOf, type SkippedParts } from '../skipped-parts.ts'
import { Transaction } from './transaction.ts'
import { REJECTED_HOOKS_SINCE, WHOLE_COMMITS_SINCE } from '../own-versions.ts'
import type { WriteBuffer } from '../rows/write-buffer.ts'
import type { MachineErrorReason, MachinePart } from '../machine-report.ts'
import type { MachineCommand, MachineContext, Outcome, UserStateMachine } from '../user-machine.ts'

/** Bytes counted for an outcome beside its value or details. */
const OUTCOME_OVERHEAD_BYTES = 16

export interface Executed {
  readonly outcome: Outcome
  readonly bytes: number
}

/** One call of a machine's function. */
export interface MachineCall {
  readonly part: MachinePart
  /** How the outcome, or the audit record and alert, of its failure names it; replicated. */
  readonly label: string
  /** Whose it is; null in timers. */
  readonly session: SessionRecord | null
  /** Kind of the audit record and alert of its failure. Default MACHINE_ERROR. */
  readonly alarm?: 'MACHINE_ERROR' | 'MIGRATION_FAILED'
  /** A rejection that it returns is a failure as well: recorded and alerted beside what outlives it. */
  readonly rejectionFails?: boolean
  /** The how manieth of its entry it is: the runner counts it as it begins. */
  number?: number
}

type Rejection = Extract<Outcome, { kind: 'reject' }>

const AFTER_REJECT = 'afterReject'

/** Runs the user machine inside transactions and turns what it does into outcomes (FM-3). */
export class MachineRunner {
  readonly user: UserStateMachine
  private readonly context: Context
  private readonly transaction: Transaction
  private readonly state: ReplicatedState
  private readonly rehearsal: Rehearsal
  private readonly rehearses: boolean
  /** Parts of the entry at hand that are not run. */
  private skipped: SkippedParts = NONE_SKIPPED
  /** Functions of machines that this entry has come to so far: their number is part of a part's name. */
  private calls = 0

  /** `rehearses`: every function runs twice, and one that does different things fails (development). */
  constructor(state: ReplicatedState, user: UserStateMachine, rehearses: boolean) {
    this.state = state
    this.user = user
    this.rehearses = rehearses
    this.transaction = new Transaction(state)
    const silent = (): boolean => this.rehearsal.active
    this.context = new Context(state, this.transaction, { running: () => user.running ?? null, silent })
    this.rehearsal = new Rehearsal(state, this.transaction, this.context)
  }

  /** The next entry is applied: which of its parts are not run. PERF: two assignments. */
  enterEntry(skipped: SkippedParts): void {
    this.skipped = skipped
    this.calls = 0
  }

  /** Whether that part of the entry at hand is not to be run. */
  skips(part: string): boolean {
    return this.skipped !== NONE_SKIPPED && this.skipped.includes(part)
  }

  /** One that runs the same machine, in the same way, on another state. */
  on(state: ReplicatedState): MachineRunner {
    return new MachineRunner(state, this.user, this.rehearses)
  }

  /** Runs one command: commit, reject or MACHINE_ERROR. */
  runCommand(session: SessionRecord, command: { machine: string; command: string; input: Value }): Executed {
    const given = (): MachineCommand => {
      return this.rehearsal.active ? { ...command, input: this.given(command.input) } : command
    }
    return this.runInternal(callOf(session, command), (context) => this.user.apply(context, given()))
  }

  /**
   * Runs a command of the session layer itself that asks the user machine (a task's result): `body` returns the outcome.
   */
  runInternal(call: MachineCall, body: (context: MachineContext) => Outcome): Executed {
    if (this.passesOver(call)) return this.unrun(call)
    const twin = this.rehearse(call, true, body)
    this.transaction.begin(call.session, true)
    try {
      return this.conclude(this.likeTwin(twin, body(this.context)), call)
    } catch (error) {
      return this.failed(call, this.reasonOf(error, call), error)
    }
  }

  /**
   * Runs a hook or timer in a transaction of its own. What throws is dropped, recorded and alerted; what returns a rejection is
   * rolled back as a command is, and nobody is told: false.
   */
  runHook(call: MachineCall, body: (context: MachineContext) => unknown): boolean {
    if (this.passesOver(call)) return this.unrunHook(call)
    return this.runHookLike(this.rehearse(call, false, body), call, body)
  }

  /**
   * As `runHook`, for a function that may have very much to do: each step is one of its own, or a piece of what follows. The
   * moment that everybody sees what it did is that of `published`; then `settle`, before anything else is run.
   */
  *runSteps(
    call: MachineCall,
    body: (context: MachineContext) => unknown,
    published: () => void,
  ): Generator<void, void> {
    const { transaction, rehearsal, rehearses } = this
    const { session } = call
    if (this.passesOver(call)) {
      this.unrunHook(call)
      return
    }
    const steps = (context: MachineContext): Generator<void, unknown> => stepsOf(body, context)
    const twin = rehearses ? yield* rehearsal.runSteps({ session, isCommand: false }, steps) : null
    transaction.begin(session, false, true)
    const failure = yield* this.failureOf(call, twin, steps)
    if (failure !== null) {
      yield* transaction.abortInPieces()
      this.hookFailed(call, failure.reason, failure.error)
      return
    }
    yield* transaction.publish()
    published()
  }

  /** Carries out what `runSteps` has published, a piece at a time. */
  settle(): Generator<void, void> {
    return this.transaction.settle()
  }

  /** Where the running transaction writes: the state that everybody reads, while it is `published`. */
  get writes(): WriteBuffer {
    return this.transaction.writes
  }

  /** A value that came with the entry, as a function may have it: a copy in a rehearsal, since it may change it. */
  given(input: Value): Value {
    const { codec } = this.state
    return this.rehearsal.active ? codec.decodeInput(codec.encodeValue(input)) : input
  }

  /** Runs the steps; why what they did must not stand, or null. */
  private *failureOf(
    call: MachineCall,
    twin: string | null,
    steps: (context: MachineContext) => Generator<void, unknown>,
  ): Generator<void, { readonly reason: MachineErrorReason; readonly error: unknown } | null> {
    try {
      const returned = this.likeTwin(twin, yield* steps(this.context))
      if (isThenable(returned)) return { reason: 'ASYNC_HANDLER', error: null }
      if (this.takesBack(returned)) return { reason: 'EXCEPTION', error: rejectedWith(returned) }
      return this.transaction.invalidValue ? { reason: 'INVALID_VALUE', error: null } : null
    } catch (error) {
      return { reason: this.reasonOf(error, call), error }
    }
  }

  private runHookLike(twin: string | null, call: MachineCall, body: (context: MachineContext) => unknown): boolean {
    this.transaction.begin(call.session, false)
    try {
      const returned: unknown = this.likeTwin(twin, body(this.context))
      const reason = isThenable(returned) ? 'ASYNC_HANDLER' : this.transaction.invalidValue ? 'INVALID_VALUE' : null
      const broken = reason ?? (this.takesBack(returned) ? this.dropRejected(returned, call) : null)
      if (broken === null) this.transaction.commit()
      else if (typeof broken === 'string') this.hookFailed(call, broken, null)
      else if (call.rejectionFails === true) this.recordFailed(call, 'EXCEPTION', rejectedWith(returned))
      return broken === null
    } catch (error) {
      this.hookFailed(call, this.reasonOf(error, call), error)
      return false
    }
  }

  /**
   * onSessionCreated: like a hook, but it may reject. `accepted` or `rejected` runs between its verdict and its effects:
   * also a rejection has some (alerts, afterReject), and they must not find the session.
   */
  runCreated(session: SessionRecord, verdict: { accepted(): void; rejected(): void }): Outcome | null {
    const call = hookCall('onSessionCreated', session)
    const body = (context: MachineContext): unknown => this.user.onSessionCreated(context, session.row.info)
    if (this.passesOver(call)) {
      this.transaction.begin(null, false)
      verdict.rejected()
      return this.createdFailed(call, 'SKIPPED', null)
    }
    const twin = this.rehearse(call, false, body)
    this.transaction.begin(session, false)
    try {
      const returned = this.likeTwin(twin, body(this.context))
      const broken = isThenable(returned) ? 'ASYNC_HANDLER' : this.transaction.invalidValue ? 'INVALID_VALUE' : null
      if (broken !== null || isReject(returned)) verdict.rejected()
      if (broken !== null) return this.createdFailed(call, broken, null)
      if (isReject(returned)) return this.concludeReject(returned, call).outcome
      this.transaction.prepare()
    } catch (error) {
      const reason = this.reasonOf(error, call)
      verdict.rejected()
      return this.createdFailed(call, reason, error)
    }
    verdict.accepted()
    this.transaction.commit()
    return null
  }

  /** The logged input does not decode: an outcome like any other, so that every replica answers alike. */
  refusedInput(session: SessionRecord, command: { machine: string; command: string }): Executed {
    this.transaction.begin(null, true)
    return this.failed(callOf(session, command), 'INVALID_VALUE', null)
  }

  /** MACHINE_ERROR as a response. */
  machineError(machine: string, reason: MachineErrorReason): Rejection {
    return { kind: 'reject', code: 'MACHINE_ERROR', details: { machine, index: this.state.index, reason } }
  }

  private rehearse(call: MachineCall, isCommand: boolean, body: (context: MachineContext) => unknown): string | null {
    if (!this.rehearses) return null
    try {
      return this.rehearsal.run({ session: call.session, isCommand }, body)
    } catch (error) {
      throw isEngineError(error) && !(error instanceof EngineError) ? this.stopAt(call, error) : error
    }
  }

  /** Counts the call, and tells whether it is a part of the entry that is not run. PERF: an addition and a comparison. */
  private passesOver(call: MachineCall): boolean {
    this.calls += 1
    // Others may begin before it is at its end: hooks of its rejection.
    call.number = this.calls
    return this.skipped !== NONE_SKIPPED && this.skips(this.partOf(call))
  }

  private partOf({ part, label, number = this.calls }: MachineCall): string {
    return part.kind === 'command' ? COMMAND_PART : partOf(label, number)
  }

  private unrun(call: MachineCall): Executed {
    this.transaction.begin(null, true)
    return this.failed(call, 'SKIPPED', null)
  }

  private unrunHook(call: MachineCall): boolean {
    this.transaction.begin(null, false)
    this.hookFailed(call, 'SKIPPED', null)
    return false
  }

  private stopAt(call: MachineCall, error: unknown): EngineError {
    return new EngineError(this.state.index, this.partOf(call), error)
  }

  /** What a function returned, after it did the same as in its rehearsal. */
  private likeTwin(twin: string | null, returned: unknown): unknown {
    if (twin !== null && this.rehearsal.sumOf(returned) !== twin) throw new NondeterminismError()
    return returned
  }

  private conclude(returned: unknown, call: MachineCall): Executed {
    const { transaction, state } = this
    if (transaction.invalidValue) return this.failed(call, 'INVALID_VALUE', null)
    if (isThenable(returned)) return this.failed(call, 'ASYNC_HANDLER', null)
    if (transaction.rejection !== null) return this.concludeReject(transaction.rejection, call)
    if (isValue(returned)) {
      const bytes = state.codec.walk(returned.value, state.hash) + OUTCOME_OVERHEAD_BYTES
      if (bytes > state.limits.responseBytesMax) return this.failed(call, 'RESPONSE_TOO_LARGE', null)
      transaction.commit()
      return { outcome: { kind: 'value', value: returned.value }, bytes }
    }
    if (!isReject(returned)) return this.failed(call, 'INVALID_VALUE', null)
    return this.concludeReject(returned, call)
  }

  /**
   * Drops writes and emissions; audit, alerts and afterReject stay. The details are walked aside first: the rollback puts
   * the running hash back, and a rejection that is no plain data keeps nothing.
   */
  private concludeReject(rejection: Rejection, call: MachineCall): Executed {
    const { code, details } = rejection
    const bytes = this.dropRejected(rejection, call)
    if (typeof bytes === 'string') return this.failed(call, bytes, null)
    return { outcome: { kind: 'reject', code, details }, bytes }
  }

  /** Whether it is a rejection of a hook, timer or migration: nobody is told of it, and what it did is taken back. */
  private takesBack(returned: unknown): returned is Rejection {
    return isReject(returned) && this.state.versions.hasOwn(REJECTED_HOOKS_SINCE)
  }

  /** Rejects the transaction: the bytes of the rejection, or why it is none. */
  private dropRejected(
    { code, details }: Rejection,
    call: MachineCall,
  ): number | 'INVALID_VALUE' | 'RESPONSE_TOO_LARGE' {
    const { transaction, state } = this
    if (!isText(code) || !fitsName(code)) return 'INVALID_VALUE'
    const folded: RunningHash = { high: 0, low: 0 }
    const bytes = state.codec.walk(details, folded) + code.length + OUTCOME_OVERHEAD_BYTES
    if (bytes > state.limits.responseBytesMax) return 'RESPONSE_TOO_LARGE'
    // What such a hook registers itself is not run: it could go on for ever.
    const after = call.part.name === AFTER_REJECT ? [] : [...transaction.afterReject]
    const { machine } = call.part
    transaction.reject()
    foldRejection(state, code, folded)
    // It closes over variables of the command, which a rehearsal would have changed.
    for (const run of after) {
      const hook = hookCall(AFTER_REJECT, call.session, machine)
      if (this.passesOver(hook)) this.unrunHook(hook)
      else this.runHookLike(null, hook, run)
    }
    return bytes
  }

  private failed(call: MachineCall, reason: MachineErrorReason, error: unknown): Executed {
    this.transaction.abort()
    this.report(call, reason, error)
    const outcome = this.machineError(call.label, reason)
    const { codec, hash } = this.state
    foldMachineError(this.state, outcome.code)
    return { outcome, bytes: codec.walk(outcome.details, hash) + outcome.code.length + OUTCOME_OVERHEAD_BYTES }
  }

  private createdFailed(call: MachineCall, reason: MachineErrorReason, error: unknown): Outcome {
    this.hookFailed(call, reason, error)
    return this.machineError(call.label, reason)
  }

  private hookFailed(call: MachineCall, reason: MachineErrorReason, error: unknown): void {
    this.transaction.abort()
    this.recordFailed(call, reason, error)
  }

  private recordFailed(call: MachineCall, reason: MachineErrorReason, error: unknown): void {
    this.report(call, reason, error)
    const { state } = this
    foldFailedHook(state, reason)
    this.transaction.begin(null, false)
    const { alarm = 'MACHINE_ERROR' } = call
    this.transaction.audit({ kind: alarm, part: call.label, reason })
    this.transaction.alert(alarm, { part: call.label, index: state.index, reason })
    this.transaction.commit()
  }

  /** The reason of an error, or throws EngineError when it is none of the machine's. */
  private reasonOf(error: unknown, call: MachineCall): MachineErrorReason {
    // One that names a hook within the call: only that is to be skipped.
    if (error instanceof EngineError) throw error
    if (isEngineError(error) || this.leavesHalf) throw this.stopAt(call, error)
    if (error instanceof ValueError || this.transaction.invalidValue) return 'INVALID_VALUE'
    if (error instanceof NondeterminismError) return 'NONDETERMINISTIC'
    if (isInvariant(error)) return 'INTERNAL_INVARIANT'
    return 'EXCEPTION'
  }

  /** The error came when the transaction had begun to be carried out: what there is by now is nobody's state. */
  private get leavesHalf(): boolean {
    return !this.transaction.running && this.state.versions.hasOwn(WHOLE_COMMITS_SINCE)
  }

  private report({ part, session }: MachineCall, reason: MachineErrorReason, error: unknown): void {
    const { state, user } = this
    state.report({
      kind: 'failure',
      part: part.machine === null ? { ...part, machine: user.running ?? null } : part,
      index: state.index,
      session: session?.row.info.id ?? null,
      reason,
      error,
    })
  }
}

/** The call of a hook; without `machine`, of every mounted machine's in turn. */
export function hookCall(name: string, session: SessionRecord | null, machine: string | null = null): MachineCall {
  return { part: { machine, kind: 'hook', name }, label: name, session }
}

function callOf(session: SessionRecord, { machine, command }: { machine: string; command: string }): MachineCall {
  return { part: { machine, kind: 'command', name: command }, label: machine, session }
}
