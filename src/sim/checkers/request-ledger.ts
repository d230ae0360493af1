import { decodeValue } from '../../codec/value/decode.ts'
import type { LeftOut } from '../../client/session/received-request.ts'
import type { ServerRequestMessage } from '../../protocol/down-message.ts'
import type { SessionFacts } from '../../session/state-machine.ts'
import { CHANGED, RUNG } from '../clients/bell.ts'
import { Violation } from './violation.ts'

/**
 * The server requests that one session's client has handled (sessions.md §5): ids 1, 2, 3, … without a gap, each once, over
 * any number of failovers; and by what they say, its own increments and the strokes of the bell, in the order of the log. Where
 * the outbox is narrow some are left out, and each of those is told as left out, once.
 */
export class RequestLedger {
  private readonly client: string
  private readonly narrow: boolean
  /** How many were left out, as the client was told. */
  leftOut = 0
  /** Highest id handled. */
  handled = 0
  private readonly changed: number[] = []
  private stroke = 0
  private strokes = 0

  constructor(client: string, narrow: boolean) {
    this.client = client
    this.narrow = narrow
  }

  /** What is left out when this one comes next, by its id. */
  skippedBy({ serverRequestId }: ServerRequestMessage): LeftOut | null {
    return serverRequestId > this.handled + 1 ? { from: this.handled + 1, to: serverRequestId - 1 } : null
  }

  /** The client takes this one next, or tries it again; `leftOut`: what it was told to be left out before it. */
  begins(request: ServerRequestMessage, leftOut: LeftOut | null): void {
    const { handled } = this
    const id = request.serverRequestId
    if (id <= handled || (id > handled + 1 && !this.narrow))
      this.fail('server requests come in order, each once', { after: handled, id })
    const skipped = this.skippedBy(request)
    if (skipped?.from !== leftOut?.from || skipped?.to !== leftOut?.to)
      this.fail('what was left out is told with the next server request', { after: handled, id, leftOut })
  }

  /** It is dealt with: only now may it be acknowledged. */
  ends(request: ServerRequestMessage, leftOut: LeftOut | null): void {
    this.begins(request, leftOut)
    this.handled = request.serverRequestId
    if (leftOut !== null) this.leftOut += leftOut.to - leftOut.from + 1
    const said = decodeValue(request.payload) as { readonly value?: number; readonly stroke?: number }
    if (request.type === CHANGED) this.changed.push(said.value ?? 0)
    else if (request.type === RUNG) this.rung(said.stroke ?? 0)
    else this.fail('a server request is of a type that was emitted', { type: request.type })
  }

  /** What a node says of this session's acknowledgements: none that was not given. */
  known(acknowledged: number): void {
    if (acknowledged > this.handled) {
      this.fail('only what was handled is acknowledged', { acknowledged, handled: this.handled })
    }
  }

  /** At the end: everything emitted was handled and its ack applied; `increments`: what the client's commands returned. */
  checkComplete(facts: SessionFacts | null, run: { increments: readonly number[]; strokes: number }): void {
    const { handled, changed, stroke } = this
    if (facts === null) return this.fail('a session that is kept alive is not lost', {})
    const { acknowledged, lastServerRequestId } = facts
    if (handled !== lastServerRequestId || acknowledged !== lastServerRequestId) {
      this.fail('every server request is delivered and acknowledged', { handled, acknowledged, lastServerRequestId })
    }
    const own = [...run.increments].sort((a, b) => a - b)
    const told = this.narrow ? own.filter((value) => changed.includes(value)) : own
    if (told.length !== changed.length || told.some((value, at) => value !== changed[at])) {
      this.fail('a session is told of each of its increments once, in order', { own, changed })
    }
    if (stroke !== run.strokes && stroke !== 0 && !this.narrow)
      this.fail('a session is told of every stroke', { stroke, ...run })
    const heard = changed.length + this.strokes
    if (heard + this.leftOut !== handled)
      this.fail('what a session is not told of is left out', { heard, leftOut: this.leftOut, handled })
  }

  private rung(stroke: number): void {
    this.strokes += 1
    const next = this.narrow ? stroke > this.stroke : stroke === this.stroke + 1
    if (this.stroke > 0 && !next) this.fail('a session is told of every stroke', { after: this.stroke, stroke })
    this.stroke = stroke
  }

  private fail(invariant: string, facts: { readonly [name: string]: unknown }): void {
    throw new Violation(invariant, { client: this.client, ...facts })
  }
}
