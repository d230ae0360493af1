import type { Millis } from '../../base/brand.ts'
import { fitsName } from '../../codec/entry/names.ts'
import { ValueError } from '../../codec/value/value-error.ts'
import { LimboView } from './limbo-view.ts'
import type { MachineErrorReason } from '../machine-report.ts'
import { isText } from '../rows/row-fields.ts'
import type { RowWatch } from '../rows/row-watches.ts'
import { StateView } from '../rows/state-view.ts'
import type { ReplicatedState } from '../state/replicated-state.ts'
import type { LimboRows, QueryRequest } from '../state-machine.ts'
import type { Outcome, QueryView, SessionInfo } from '../user-machine.ts'
import type { MachineRunner } from '../run/machine-runner.ts'
import type { Position } from '../run/underway.ts'
import { WatchedView } from './watched-view.ts'

/** Runs queries on the state as everybody sees it (sessions.md §6). */
export class Queries {
  private readonly state: ReplicatedState
  private readonly runner: MachineRunner
  private readonly view: StateView

  constructor(state: ReplicatedState, runner: MachineRunner) {
    this.state = state
    this.runner = runner
    this.view = new StateView(state.userRows, runner.writes)
  }

  /** What it throws is MACHINE_ERROR. What it reads is noted in `watch`, if there is one. */
  run(request: QueryRequest, seen: Position, watch: RowWatch | null = null): Outcome {
    watch?.begin()
    const { now, index } = seen
    const { machine, query, input } = request
    const { user } = this.runner
    if (user.query === undefined) return unknownQuery(request)
    const { versions } = this.state
    const session = this.sessionOf(request)
    const failed = (reason: MachineErrorReason, error: unknown): Outcome => {
      const part = { machine, kind: 'query', name: query } as const
      this.state.report({ kind: 'failure', part, index, session: session?.id ?? null, reason, error })
      return this.runner.machineError(machine, reason)
    }
    try {
      const activeVersion = (name: string): number => versions.active(name)
      const view =
        watch === null
          ? { state: this.view, now, index, session, activeVersion }
          : new WatchedView(this.view, watch, { seen, session, activeVersion })
      const outcome = user.query(view, { machine, query, input })
      const reason = this.unfit(outcome)
      return reason === null ? outcome : failed(reason, null)
    } catch (error) {
      // A query changes nothing, so even an engine error ends with its caller.
      return failed(error instanceof ValueError ? 'INVALID_VALUE' : 'EXCEPTION', error)
    }
  }

  /**
   * The answer, if it is the same whichever of the entries in limbo were committed; else null. One that fails would tell the
   * index in its answer, and is reported when it is run for good.
   */
  runInLimbo(request: QueryRequest, seen: Position, limbo: LimboRows): Outcome | null {
    const { machine, query, input } = request
    const { user } = this.runner
    if (user.query === undefined) return unknownQuery(request)
    const state = new LimboView(this.view, limbo)
    const view = new ViewInLimbo(state, this.state, { seen, limbo, session: this.sessionOf(request) })
    try {
      const outcome = user.query(view, { machine, query, input })
      return state.touched || this.unfit(outcome) !== null ? null : outcome
    } catch {
      return null
    }
  }

  /** Why an answer cannot be given, or null. No frame could carry it, and its client would ask again and again. */
  private unfit(outcome: Outcome): MachineErrorReason | null {
    const { codec, limits } = this.state
    const bytes = codec.walk(outcome.kind === 'value' ? outcome.value : outcome.details, { high: 0, low: 0 })
    if (bytes > limits.responseBytesMax) return 'RESPONSE_TOO_LARGE'
    const carried = outcome.kind === 'value' || (isText(outcome.code) && fitsName(outcome.code))
    return carried ? null : 'INVALID_VALUE'
  }

  private sessionOf({ session }: QueryRequest): SessionInfo | null {
    return session === null ? null : (this.state.sessions.at(session)?.row.info ?? null)
  }
}

/** The window of a query in limbo. No entry that a limbo set is made of changes versions or what a session says of itself. */
class ViewInLimbo implements QueryView {
  readonly state: LimboView
  readonly session: SessionInfo | null
  private readonly versions: ReplicatedState['versions']
  private readonly seen: Position
  private readonly limbo: LimboRows

  constructor(
    state: LimboView,
    { versions }: ReplicatedState,
    at: { readonly seen: Position; readonly limbo: LimboRows; readonly session: SessionInfo | null },
  ) {
    this.state = state
    this.session = at.session
    this.versions = versions
    this.seen = at.seen
    this.limbo = at.limbo
  }

  /** Whoever was answered by an entry of limbo may have been told a later time. */
  get now(): Millis {
    return this.limbo.now > this.seen.now ? this.state.touch() : this.seen.now
  }

  get index(): number {
    return this.limbo.last > this.seen.index ? this.state.touch() : this.seen.index
  }

  activeVersion(machine: string): number {
    return this.versions.active(machine)
  }
}

function unknownQuery({ machine, query }: QueryRequest): Outcome {
  return { kind: 'reject', code: 'UNKNOWN_QUERY', details: { machine, query } }
}
