import { decodeValue } from '../../codec/value/decode.ts'
import type { ServerRequestMessage } from '../../protocol/down-message.ts'
import type { SessionFacts } from '../../session/state-machine.ts'
import { CHANGED, RUNG } from '../clients/bell.ts'
import { Violation } from './violation.ts'

/**
 * The server requests that one session's client has handled (sessions.md §5): ids 1, 2, 3, … without a gap, each once, over
 * any number of failovers; and by what they say, its own increments and the strokes of the bell, in the order of the log.
 */
export class RequestLedger {
  private readonly client: string
  /** Highest id handled. */
  handled = 0
  private readonly changed: number[] = []
  private stroke = 0

  constructor(client: string) {
    this.client = client
  }

  /** The client takes this one next, or tries it again. */
  begins({ serverRequestId }: ServerRequestMessage): void {
    if (serverRequestId === this.handled + 1) return
    this.fail('server requests come in order, each once', { after: this.handled, id: serverRequestId })
  }

  /** It is dealt with: only now may it be acknowledged. */
  ends(request: ServerRequestMessage): void {
    this.begins(request)
    this.handled = request.serverRequestId
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
    if (own.length !== changed.length || own.some((value, at) => value !== changed[at])) {
      this.fail('a session is told of each of its increments once, in order', { own, changed })
    }
    if (stroke !== run.strokes && stroke !== 0) this.fail('a session is told of every stroke', { stroke, ...run })
  }

  private rung(stroke: number): void {
    if (this.stroke > 0 && stroke !== this.stroke + 1) {
      this.fail('a session is told of every stroke', { after: this.stroke, stroke })
    }
    this.stroke = stroke
  }

  private fail(invariant: string, facts: { readonly [name: string]: unknown }): void {
    throw new Violation(invariant, { client: this.client, ...facts })
  }
}
