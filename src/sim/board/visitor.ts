import type { Random } from '../../base/random.ts'
import type { SubscribeRequest } from '../../client/calls/subscription-board.ts'
import { MultiSession } from '../../client/session/multi-session.ts'
import type { SessionCore } from '../../client/session/session-core.ts'
import { decodeValue } from '../../codec/value/decode.ts'
import { encodeValue } from '../../codec/value/encode.ts'
import type { Value } from '../../codec/value/value.ts'
import type { ServerRequestMessage } from '../../protocol/down-message.ts'
import type { Consistency } from '../../protocol/up-frame.ts'
import { Violation } from '../checkers/violation.ts'
import type { SessionWorld } from '../clients/command-session.ts'
import { environmentOf } from '../world/client-environment.ts'
import type { Asked } from './board-history.ts'
import { BOARD } from './board-machine.ts'
import { ChangeLedger } from './change-ledger.ts'
import { PATIENT_MS, type Witnesses } from './witnesses.ts'

/** No query of a visitor's gives up before the world ends, ms. */
const QUERY_MS = 3_600_000

/** Ends what a visitor does about a notice: at once, or later. */
export type Handling = (end: () => void) => void

export interface VisitorOptions {
  readonly name: string
  readonly world: SessionWorld
  readonly random: Random
  readonly witnesses: Witnesses
  readonly handling: Handling
  /** It may expire where the cluster cannot be reached for so long, ms. */
  readonly timeoutMs: number
  /** Its session is there. */
  ready(visitor: Visitor): void
  /** Its session is over, and so is it. */
  over(visitor: Visitor): void
}

/**
 * A client with one session that writes posts, looks them up, subscribes to what it asks and hears of notices. All that it is
 * told goes to the witnesses. An operator, or its own timeout, may end its session.
 */
export class Visitor {
  readonly ledgers: ChangeLedger[] = []
  acks = 0
  /** Commands and queries without an outcome. */
  pending = 0
  private readonly options: VisitorOptions
  private readonly hub: MultiSession
  private readonly core: SessionCore
  private gone = false
  private lastHandled = 0
  private seen = 0

  constructor(options: VisitorOptions) {
    const { name, world, random, timeoutMs, ready } = options
    this.options = options
    this.hub = new MultiSession({ environment: environmentOf({ ...world, name, random }), endpoints: world.endpoints })
    const settings = {
      principal: `user:${name}`,
      roles: [],
      capabilities: {},
      name,
      timeoutMs,
      ordered: false,
      resume: null,
    }
    this.core = this.hub.openSession(settings, {
      onReady: () => ready(this),
      onRefused: (code) => {
        throw new Violation('a session opens', { name, code })
      },
      onLost: (reason) => this.lost(reason),
      onSuspended: () => undefined,
      onResumed: () => undefined,
      onHandlerError: () => undefined,
      onServerRequest: (request, done) => this.told(request, done),
    })
  }

  /** Index of its session; 0 before it was opened. */
  get session(): number {
    return this.core.token?.index ?? 0
  }

  get name(): string {
    return this.options.name
  }

  /** Its session expires soon once nothing is heard of it. */
  get impatient(): boolean {
    return this.options.timeoutMs < PATIENT_MS
  }

  /** Sends a command; `answered` hears its value, or null where it was refused or nobody can tell. */
  send(command: string, input: Value, answered: (value: Value, index: number) => void): void {
    this.pending += 1
    this.core.enqueue({ machine: BOARD, command, input: encodeValue(input) }, 0, (outcome) => {
      this.pending -= 1
      if (outcome.kind === 'ok' || outcome.kind === 'rejected') this.saw(outcome.index)
      else if (!this.gone && !this.core.over)
        throw new Violation('the SDK retries until it knows', { name: this.name, command, outcome })
      if (outcome.kind === 'ok') {
        this.acks += 1
        answered(decodeValue(outcome.value), outcome.index)
      } else answered(null, 0)
    })
  }

  /** Asks once, and has the answer held against what the log says. */
  ask(asked: Asked, consistency: Consistency, answered: () => void): void {
    const { witnesses, name } = this.options
    const { seen } = this
    const toldBefore = witnesses.told
    this.pending += 1
    const request = { consistency, ...this.token(consistency), machine: BOARD, query: asked.query }
    this.hub.query({ ...request, input: encodeValue(asked.input as Value) }, QUERY_MS, (outcome) => {
      this.pending -= 1
      if (outcome.kind === 'ok') {
        const { index, value } = outcome
        witnesses.answered({ name, asked, consistency, index, value, seen, toldBefore })
        this.saw(index)
      } else if (!this.gone) throw new Violation('a query is answered', { name, asked, outcome })
      answered()
    })
  }

  /** Subscribes; returns what ends the subscription. */
  subscribe(asked: Asked): () => void {
    const { history } = this.options.witnesses
    const ledger = new ChangeLedger(history, { asked, who: this.name, minIndex: this.seen })
    const request: SubscribeRequest = {
      channel: this.core.channel,
      ...this.token('sequential'),
      machine: BOARD,
      query: asked.query,
      input: encodeValue(asked.input as Value),
    }
    const end = (): void => {
      const at = this.ledgers.indexOf(ledger)
      if (at >= 0) this.ledgers.splice(at, 1)
    }
    this.ledgers.push(ledger)
    const unsubscribe = this.hub.subscribe(request, {
      onChange: (change) => {
        ledger.changed(change)
        this.options.witnesses.changed(change)
        this.saw(change.index)
      },
      onEnd: (reason) => {
        if (!this.core.over)
          throw new Violation('a subscription lasts as long as its session', { name: this.name, reason })
        end()
      },
    })
    return () => {
      unsubscribe()
      end()
    }
  }

  /** Ends the session, when nothing is pending. */
  leave(): void {
    this.core.closeSession(() => this.ended())
  }

  /** Vanishes without a word: its session expires in its time. */
  vanish(): void {
    this.gone = true
    this.hub.close('DETACHED')
    this.ended()
  }

  private lost(reason: string): void {
    const { witnesses, timeoutMs, name } = this.options
    if (reason !== 'SESSION_EXPIRED' || !witnesses.mayEnd(this.session, timeoutMs))
      throw new Violation('a session that is kept alive is not lost', { name, reason, session: this.session })
    this.ended()
  }

  private ended(): void {
    this.gone = true
    this.hub.close()
    this.ledgers.length = 0
    this.options.over(this)
  }

  private told({ serverRequestId: id, payload }: ServerRequestMessage, done: (error: unknown) => void): void {
    const { handling, witnesses, name } = this.options
    // What the machine of this folder has emitted.
    const { number } = decodeValue(payload) as { readonly number: number }
    if (id <= this.lastHandled)
      throw new Violation('server requests come in order, each once', { name, id, after: this.lastHandled })
    handling(() => {
      this.lastHandled = id
      witnesses.fates.handles(this.session, { id, number })
      done(null)
    })
  }

  private saw(index: number): void {
    this.seen = Math.max(this.seen, index)
    this.options.witnesses.tell(index)
  }

  private token(consistency: Consistency): { readonly incarnation: number; readonly minIndex: number } {
    const incarnation = this.core.token?.incarnation ?? 0
    if (consistency !== 'sequential' || incarnation === 0) return { incarnation: 0, minIndex: 0 }
    return { incarnation, minIndex: this.seen }
  }
}
