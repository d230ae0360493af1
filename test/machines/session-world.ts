import { logIndex, parseSessionId, term, type SessionId } from '../../src/base/brand.ts'
import { DEFAULT_LIMITS } from '../../src/codec/entry/default-limits.ts'
import type { PayloadByKind } from '../../src/codec/entry/payload.ts'
import { encodeClientRequest } from '../../src/codec/entry/client-request.ts'
import { encodePayload } from '../../src/codec/entry/payload-codec.ts'
import { sessionCodec } from '../../src/codec/session-codec.ts'
import type { Entry, EntryKind } from '../../src/codec/entry/entry.ts'
import type { Value } from '../../src/codec/value/value.ts'
import type { Mount } from '../../src/machine/index.ts'
import { meaningOf, type MachineReport } from '../../src/session/machine-report.ts'
import { SessionStateMachine } from '../../src/session/session-state-machine.ts'
import type { Applied, StateMachine } from '../../src/session/state-machine.ts'
import type { Outcome, ServerRequest, UserStateMachine } from '../../src/session/user-machine.ts'

export const codec = sessionCodec

/** Opens sessions and applies commands through the real session layer, without a cluster (FR-005). */
export class SessionWorld {
  readonly states: readonly StateMachine[]
  readonly logs: string[] = []
  readonly entries: Entry[] = []
  now = 1_000
  private readonly requests = new Map<SessionId, number>()

  /** Every entry goes to each of the machines; the first one answers. */
  constructor(...machines: readonly UserStateMachine[]) {
    const report = (told: MachineReport) => {
      if (told.kind === 'line') this.logs.push(told.message)
      else this.logs.push(`${meaningOf(told.reason)}${told.error instanceof Error ? `: ${told.error.message}` : ''}`)
    }
    this.states = machines.map((machine) => new SessionStateMachine(machine, codec, { report }))
    this.payload('Configuration', {
      clusterId: 'test',
      incarnation: 1,
      voters: [],
      learners: [],
      outgoing: [],
      promoting: [],
      removed: [],
    })
    this.payload('Limits', DEFAULT_LIMITS)
  }

  get state(): StateMachine {
    const [first] = this.states
    if (first === undefined) throw new Error('a world has at least one machine')
    return first
  }

  open(principal: string, roles: readonly string[] = []): SessionId {
    const { reply } = this.payload('OpenSession', {
      secretHash: codec.sha256(new Uint8Array([this.entries.length])),
      principal,
      roles,
      capabilities: {},
      name: principal,
      timeoutMs: 60_000,
      validUntil: this.now + 60_000,
      ordered: false,
    })
    if (reply.kind !== 'opened') throw new Error(`not opened: ${JSON.stringify(reply)}`)
    return reply.sessionId
  }

  /** One command with a new request id, as its parsed input would stand in the log. */
  apply(session: SessionId, machine: string, command: string, input: Value): Outcome {
    const { reply } = this.request(session, { machine, command, input: codec.encodeValue(input), version: 1 })
    if (reply.kind !== 'outcome') throw new Error(`no outcome: ${JSON.stringify(reply)}`)
    return reply.outcome
  }

  /** The same through the parser of a mount, as a leader does it. */
  submit(mount: Mount, session: SessionId, ...[machine, command, input]: [string, string, Value]): Outcome | string {
    const parsed = mount.parse(machine, command, codec.encodeValue(input))
    return parsed.ok ? this.apply(session, machine, command, codec.decodeValue(parsed.input)) : parsed.code
  }

  query(machine: string, query: string, input: Value): Outcome {
    return this.state.query({ machine, query, input, session: null })
  }

  outbox(session: SessionId): readonly ServerRequest[] {
    return this.state.outbox(parseSessionId(session)?.index ?? 0, 0, 1_000)
  }

  tick(milliseconds: number): void {
    this.now += milliseconds
    this.entry('Tick', new Uint8Array())
  }

  payload<Kind extends keyof PayloadByKind>(kind: Kind, payload: PayloadByKind[Kind]): Applied {
    return this.entry(kind, encodePayload(kind, payload))
  }

  entry(kind: EntryKind, payload: Uint8Array): Applied {
    const index = logIndex(this.entries.length + 1)
    const entry: Entry = { kind, index, term: term(1), lease: this.now, now: this.now, payload }
    this.entries.push(entry)
    const [first] = this.states.map((state) => state.apply(entry, payload.length))
    if (first === undefined) throw new Error('a world has at least one machine')
    return first
  }

  private request(
    session: SessionId,
    request: { machine: string; command: string; input: Uint8Array; version: number },
  ): Applied {
    const numbers = parseSessionId(session)
    if (numbers === null) throw new Error(`no session id: ${session}`)
    const requestId = (this.requests.get(session) ?? 0) + 1
    this.requests.set(session, requestId)
    return this.entry(
      'ClientRequest',
      encodeClientRequest({
        ...numbers,
        ...request,
        epoch: 0,
        requestId,
        lowestPendingRequestId: requestId,
        ackServerRequests: 0,
        hashHigh: requestId,
        hashLow: 0,
      }),
    )
  }
}
