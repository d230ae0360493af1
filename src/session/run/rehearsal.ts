import type { RunningHash } from '../../codec/value/running-hash.ts'
import type { SessionRecord } from '../clients/session-record.ts'
import type { ReplicatedState } from '../state/replicated-state.ts'
import type { MachineContext } from '../user-machine.ts'
import type { Context } from './context.ts'
import { isEngineError } from './engine-error.ts'
import type { Transaction } from './transaction.ts'

/** A function did other things than when it ran on the same state a moment before; only in development (machines.md §2). */
export class NondeterminismError extends Error {
  override readonly name = 'NondeterminismError'

  constructor() {
    super(
      'it ran twice on the same state and did different things, so replicas would differ: it keeps something outside its ' +
        'tables, or asks its process (a clock, randomness, a module of its own); keep it in a table, or use ctx',
    )
  }
}

/** Runs a function of the machine for nothing: what it did is summed up and taken back. */
export class Rehearsal {
  /** One is running: what the machine says is not to be told, and what it is given is to be a copy. */
  active = false
  private readonly state: ReplicatedState
  private readonly transaction: Transaction
  private readonly context: Context

  constructor(state: ReplicatedState, transaction: Transaction, context: Context) {
    this.state = state
    this.transaction = transaction
    this.context = context
  }

  /** What `body` does now, summed up as `sumOf` does; the state is as before. */
  run(
    call: { readonly session: SessionRecord | null; readonly isCommand: boolean },
    body: (context: MachineContext) => unknown,
  ): string {
    const { transaction, context } = this
    const { numbered } = context
    this.active = true
    transaction.begin(call.session, call.isCommand)
    try {
      return this.sumOf(body(context))
    } catch (error) {
      // What the engine's own limits break is no outcome (sessions.md §10), in whichever run.
      if (isEngineError(error)) throw error
      // The run that counts throws again, or else differs.
      return 'threw'
    } finally {
      transaction.abort()
      context.numbered = numbered
      this.active = false
    }
  }

  /** As `run`, in steps, for nothing as well. */
  *runSteps(
    call: { readonly session: SessionRecord | null; readonly isCommand: boolean },
    body: (context: MachineContext) => Generator<void, unknown>,
  ): Generator<void, string> {
    const { transaction, context } = this
    const { numbered } = context
    this.active = true
    transaction.begin(call.session, call.isCommand, true)
    const sum = yield* this.sumOfSteps(body(context))
    yield* transaction.abortInPieces()
    context.numbered = numbered
    this.active = false
    return sum
  }

  private *sumOfSteps(steps: Generator<void, unknown>): Generator<void, string> {
    try {
      return this.sumOf(yield* steps)
    } catch (error) {
      // An engine's error ends the state machine: it is not worth putting anything back.
      if (isEngineError(error)) throw error
      return 'threw'
    }
  }

  /** Everything that the running transaction was asked for so far, in order, and what the function returned. */
  sumOf(returned: unknown): string {
    const { hash, codec } = this.state
    const answer: RunningHash = { high: 0, low: 0 }
    try {
      codec.walk(returned ?? null, answer)
    } catch {
      // No plain data: refused as such, twice.
    }
    return [hash, this.transaction.keptHash, answer].map(({ high, low }) => `${high}.${low}`).join(' ')
  }
}
