import { SECOND_MS } from '../../base/time.ts'
import type { RaftNode, ReadRefusal } from '../../node/api.ts'
import type { CachedOutcome, LimboRows } from '../../session/state-machine.ts'
import { ValueError } from '../../codec/value/value-error.ts'
import type { Value } from '../../codec/value/value.ts'
import { OUTCOME_QUERY, OWN_MACHINE } from '../../protocol/own-queries.ts'
import type { AnyQueryMessage, BoundQueryMessage } from '../../protocol/up-frame.ts'
import { errorText } from '../../base/error-text.ts'
import { isId } from '../checks.ts'
import type { ConnectionSink } from '../connection-sink.ts'
import type { GatewayOptions } from '../gateway-options.ts'
import { QueryBatch, type QueryBatchOwner } from './query-batch.ts'
import { haltedRefusal, parseRefusal, type Refusal, refusal } from '../refusal.ts'

/** Queries of one connection that may wait for their index, each with a timer of its own. */
const WAITING_MAX = 1024
/** Queries of one connection that may wait for a read. */
const READING_MAX = 16_384
const WAIT_MS = 5 * SECOND_MS

/** The queries of one connection (sessions.md §6, wire.md §4, step 6): they read applied state and never enter the log. */
export class GatewayQueries implements QueryBatchOwner {
  private readonly node: RaftNode
  private readonly options: GatewayOptions
  private readonly sink: ConnectionSink
  private waiting = 0
  private reading = 0
  /** Takes what arrives until its read begins. */
  private batch: QueryBatch | null = null
  private over = false

  constructor(node: RaftNode, options: GatewayOptions, sink: ConnectionSink) {
    this.node = node
    this.options = options
    this.sink = sink
  }

  receiveQuery(request: AnyQueryMessage, session: number | null): void {
    const { node } = this
    const halted = haltedRefusal(node)
    if (halted !== null) return this.refuse(request, halted)
    if (request.consistency === 'stale') return this.settled(request, session)
    if (request.incarnation !== 0 && request.incarnation !== node.incarnation) {
      return this.refuse(request, refusal('CLUSTER_CHANGED', { incarnation: node.incarnation }))
    }
    if (request.consistency === 'linearizable') return this.read(request, session)
    if (node.machine.appliedIndex >= request.minIndex) return this.settled(request, session)
    this.wait(request, session, request.minIndex)
  }

  /** Answers from what is applied, once sessions that expire in one entry have all ended. */
  private settled(request: AnyQueryMessage, session: number | null): void {
    const { machine } = this.node
    if (machine.readable) this.answer(request, session)
    else this.wait(request, session, machine.appliedIndex + 1)
  }

  /** The query did not run. */
  refuse(request: AnyQueryMessage, bad: Refusal): void {
    this.sink.queried(request.correlationId, this.position(), { kind: 'refused', ...bad })
  }

  /** Nobody listens any longer. */
  end(): void {
    this.over = true
  }

  // QueryBatchOwner

  begun(batch: QueryBatch): void {
    if (this.batch === batch) this.batch = null
  }

  run(request: AnyQueryMessage, session: number | null): void {
    this.readyTo(request, session, null)
  }

  runInLimbo(request: AnyQueryMessage, session: number | null, limbo: LimboRows): boolean {
    return this.readyTo(request, session, limbo)
  }

  refuseRead(request: AnyQueryMessage, code: ReadRefusal): void {
    this.reading -= 1
    if (this.over) return
    this.refuse(request, (code === 'HALTED' ? haltedRefusal(this.node) : null) ?? refusal(code))
  }

  /** A query that waited for a read runs; false: limbo touches it, and it waits on. */
  private readyTo(request: AnyQueryMessage, session: number | null, limbo: LimboRows | null): boolean {
    if (!this.over) {
      const halted = haltedRefusal(this.node)
      if (halted !== null) this.refuse(request, halted)
      else if (!this.answer(request, session, limbo)) return false
    }
    this.reading -= 1
    return true
  }

  private read(request: AnyQueryMessage, session: number | null): void {
    if (this.reading >= READING_MAX) return this.refuse(request, refusal('OVERLOADED', { max: READING_MAX }))
    this.reading += 1
    if (this.batch !== null) return this.batch.add(request, session)
    const batch = new QueryBatch(this)
    this.batch = batch
    batch.add(request, session)
    // A node that has stopped refuses it at once.
    this.node.read(batch, this.options.queryWaitMs ?? WAIT_MS)
  }

  private wait(request: AnyQueryMessage, session: number | null, minIndex: number): void {
    const { node } = this
    if (this.waiting >= WAITING_MAX) return this.refuse(request, refusal('OVERLOADED', { max: WAITING_MAX }))
    this.waiting += 1
    const settle = (reached: boolean): void => {
      this.waiting -= 1
      timer.cancel()
      if (this.over) return
      // The next entry may have begun in the same turn.
      if (reached) this.settled(request, session)
      else this.refuse(request, haltedRefusal(node) ?? behind(node, request))
    }
    const timer = this.options.clock.setTimer(this.options.queryWaitMs ?? WAIT_MS, () => {
      // The index may never come, and whoever waits for one costs the node something with every batch.
      wait.cancel()
      settle(false)
    })
    const wait = node.waitApplied(minIndex, settle)
  }

  /**
   * A query that waited runs in a turn of the node's, and a bug that it finds must not end that: it ends the connection, as
   * it does for all else (`FrameConnection.dispatch`). False: it has no answer before limbo is over.
   */
  private answer(request: AnyQueryMessage, session: number | null, limbo: LimboRows | null = null): boolean {
    try {
      return this.runNow(request, session, limbo)
    } catch (error) {
      this.sink.failed('INTERNAL', `a query could not be served: ${errorText(error)}`)
      return true
    }
  }

  private runNow(request: AnyQueryMessage, session: number | null, limbo: LimboRows | null): boolean {
    const { machine } = request
    // Before its limits, the second entry of every log, a machine can answer nothing.
    const empty = this.node.machine.limits.responseBytesMax === 0
    if (empty || this.node.replaying) this.refuse(request, behind(this.node, request))
    else if (request.kind === 'boundQuery' && !this.isLive(request, session)) return true
    else if (machine !== OWN_MACHINE) return this.runParsed(request, session, limbo)
    // It asks for rows of the session layer, and which of those limbo changes is not followed.
    else if (limbo !== null) return false
    else this.runOwn(request, session)
    return true
  }

  /**
   * Does the session that asks live, as of what the answer would show? If not, the query is refused. Entries in limbo neither
   * open nor end sessions, so this is so after each of them. A node that has not applied the open says nothing of the session.
   */
  private isLive(request: BoundQueryMessage, session: number | null): boolean {
    const { machine, group, incarnation } = this.node
    if (session === null) this.refuse(request, refusal('NOT_ATTACHED'))
    else if (machine.sessionFacts(session) !== null) return true
    else if (machine.appliedIndex < session) this.refuse(request, behind(this.node, request))
    else {
      // It was attached here, so whoever asks has shown its secret.
      const end = machine.sessionEnd({ group, incarnation, index: session })
      this.refuse(request, end === null ? refusal('SESSION_UNKNOWN') : refusal('SESSION_EXPIRED', end))
    }
    return false
  }

  private runParsed(request: AnyQueryMessage, session: number | null, limbo: LimboRows | null): boolean {
    const { machine, query } = request
    const active = this.node.machine.activeVersion(machine)
    const parsed = this.options.parseQuery(machine, query, request.input, active)
    if (!parsed.ok) {
      this.refuse(request, parseRefusal(parsed))
      return true
    }
    const asked = { machine, query, input: parsed.input, session }
    const outcome = limbo === null ? this.node.machine.query(asked) : this.node.machine.queryInLimbo(asked, limbo)
    if (outcome !== null) this.sink.queried(request.correlationId, this.position(), outcome)
    return outcome !== null
  }

  /** What became of a command of the session that asks: as final as an answer of apply, for an id that is fenced. */
  private runOwn(request: AnyQueryMessage, session: number | null): void {
    const { machine } = this.node
    if (request.query !== OUTCOME_QUERY) return this.refuse(request, refusal('UNKNOWN_QUERY'))
    if (session === null) return this.refuse(request, refusal('NOT_ATTACHED'))
    const requestId = this.requestIdOf(request.input)
    if (requestId === null) return this.refuse(request, refusal('VALIDATION_ERROR', { field: 'requestId' }))
    const facts = machine.sessionFacts(session)
    if (facts === null) return this.refuse(request, refusal('SESSION_UNKNOWN'))
    const cached = machine.cached(session, requestId)
    const value = cached === null ? { kind: requestId < facts.floor ? 'evicted' : 'never' } : toldOf(cached)
    this.sink.queried(request.correlationId, this.position(), { kind: 'value', value })
  }

  private requestIdOf(input: Uint8Array): number | null {
    try {
      const value = this.options.codec.decodeInput(input)
      const id = value !== null && typeof value === 'object' && 'requestId' in value ? value.requestId : null
      return typeof id === 'number' && isId(id) ? id : null
    } catch (error) {
      if (error instanceof ValueError) return null
      throw error
    }
  }

  private position(): { index: number; incarnation: number } {
    return { index: this.node.machine.appliedIndex, incarnation: this.node.incarnation }
  }
}

function behind({ machine }: RaftNode, { minIndex }: AnyQueryMessage): Refusal {
  return refusal('BEHIND', { appliedIndex: machine.appliedIndex, minIndex })
}

/** A cached response as the query tells it. */
function toldOf({ outcome, entryIndex }: CachedOutcome): Value {
  if (outcome.kind === 'value') return { kind: 'ok', value: outcome.value, index: entryIndex }
  return { kind: 'rejected', code: outcome.code, details: outcome.details, index: entryIndex }
}
