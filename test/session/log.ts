import { type LogIndex, logIndex, type NodeId, term } from '../../src/base/brand.ts'
import { DEFAULT_LIMITS } from '../../src/codec/entry/default-limits.ts'
import type { ClientRequestPayload, Limits, OpenSessionPayload, PayloadByKind } from '../../src/codec/entry/payload.ts'
import { encodeClientRequest } from '../../src/codec/entry/client-request.ts'
import { encodePayload } from '../../src/codec/entry/payload-codec.ts'
import { requestHash } from '../../src/codec/value/running-hash.ts'
import { sessionCodec } from '../../src/codec/session-codec.ts'
import type { Entry, EntryKind } from '../../src/codec/entry/entry.ts'
import type { Value } from '../../src/codec/value/value.ts'
import { SessionStateMachine } from '../../src/session/session-state-machine.ts'
import type { SkippedParts } from '../../src/session/skipped-parts.ts'
import type { MachineReport } from '../../src/session/machine-report.ts'
import type { Applied, Reply, StateMachine } from '../../src/session/state-machine.ts'
import type { UserStateMachine } from '../../src/session/user-machine.ts'

export const codec = sessionCodec
export const START = 1_700_000_000_000
export const RECORD_BYTES = 100

export const LIMITS: Limits = DEFAULT_LIMITS

/** 32 bytes that name a secret. */
export const secret = (name: string): Uint8Array => codec.sha256(new TextEncoder().encode(name))

export const numbers = (index: number, incarnation = 1) => ({ group: 0, incarnation, index })

export type RequestOptions = Partial<Omit<ClientRequestPayload, 'input'>> & { input?: Value }

/** Makes entries with rising index and given clocks, and applies them. */
export class Log {
  readonly entries: Entry[] = []
  readonly reports: MachineReport[] = []
  now = START
  lease = 0
  /** Parts of entries that were skipped, by index. */
  readonly skipped = new Map<number, SkippedParts>()
  /** What is skipped of the next entry. */
  skipNext: SkippedParts = []
  /** A test may go on with one that was restored. */
  machine: SessionStateMachine

  constructor(user: UserStateMachine, limits: Partial<Limits> | null = {}) {
    this.machine = new SessionStateMachine(user, codec, { report: (report) => this.reports.push(report) })
    if (limits === null) return
    this.append('Configuration', {
      clusterId: 'test',
      incarnation: 1,
      voters: [{ id: 'n1' as NodeId, address: 'localhost:1', instanceId: '0'.repeat(32) }],
      learners: [],
      outgoing: [],
      promoting: [],
      removed: [],
    })
    this.append('Limits', { ...LIMITS, ...limits })
  }

  raw(kind: EntryKind, payload: Uint8Array): Applied {
    const entry: Entry = {
      kind,
      index: logIndex(this.entries.length + 1) as LogIndex,
      term: term(1),
      lease: this.lease,
      now: this.now,
      payload,
    }
    this.entries.push(entry)
    if (this.skipNext.length > 0) this.skipped.set(entry.index, this.skipNext)
    this.skipNext = []
    return this.replay(this.machine, entry)
  }

  /** Applies an entry of this log to another machine as the log's own did. */
  replay(machine: SessionStateMachine, entry: Entry): Applied {
    return machine.apply(entry, RECORD_BYTES, this.skipped.get(entry.index))
  }

  append<Kind extends keyof PayloadByKind>(kind: Kind, payload: PayloadByKind[Kind]): Applied {
    return this.raw(kind, encodePayload(kind, payload))
  }

  empty(kind: 'Noop' | 'Tick' | 'Snapshot'): Applied {
    return this.raw(kind, new Uint8Array(0))
  }

  /** Opens a session and returns its index; fails when it is refused. */
  open(name: string, options: Partial<OpenSessionPayload> = {}): number {
    const { reply } = this.tryOpen(name, options)
    if (reply.kind !== 'opened') throw new Error(`open refused: ${JSON.stringify(reply)}`)
    return Number(reply.sessionId.split('/')[2])
  }

  tryOpen(name: string, options: Partial<OpenSessionPayload> = {}): Applied {
    return this.append('OpenSession', {
      secretHash: secret(name),
      principal: `user:${name}`,
      roles: [],
      capabilities: {},
      name,
      timeoutMs: 30_000,
      validUntil: this.now + 120_000,
      ordered: false,
      ...options,
    })
  }

  /** Sends a command; the request hash is that of its input unless given. */
  request(index: number, requestId: number, command: string, options: RequestOptions = {}): Reply {
    return this.requestApplied(index, requestId, command, options).reply
  }

  requestApplied(index: number, requestId: number, command: string, options: RequestOptions = {}): Applied {
    const { input = null, ...rest } = options
    const bytes = codec.encodeValue(input)
    const machine = rest.machine ?? 'test'
    const { high, low } = requestHash(machine, command, bytes)
    return this.raw(
      'ClientRequest',
      encodeClientRequest({
        ...numbers(index),
        epoch: this.machine.sessionFacts(index)?.epoch ?? 0,
        requestId,
        lowestPendingRequestId: 1,
        ackServerRequests: 0,
        hashHigh: high,
        hashLow: low,
        version: 1,
        machine,
        command,
        ...rest,
        input: bytes,
      }),
    )
  }

  attach(index: number, name: string, options: { replaces?: number; nonce?: number } = {}): Reply {
    return this.append('AttachSession', {
      ...numbers(index),
      secretHash: secret(name),
      replaces: options.replaces ?? 0,
      nonce: new Uint8Array(16).fill(options.nonce ?? 1),
    }).reply
  }

  ack(index: number, serverRequestId: number, epoch = this.machine.sessionFacts(index)?.epoch ?? 0): Reply {
    return this.append('ServerRequestAck', { ...numbers(index), epoch, serverRequestId }).reply
  }

  /** Moves both clocks. */
  advance(ms: number): void {
    this.now += ms
    this.lease += ms
  }

  /** Ids of what waits in a session's outbox. */
  pending(index: number): number[] {
    return this.machine.outbox(index, 0, 1000).map((request) => request.serverRequestId)
  }
}

/** What changed since the last swap, by key; undefined: deleted. Fails where a key is named twice. */
export function swapped(machine: Pick<StateMachine, 'swapDirty'>): Map<string, Value | undefined> {
  const rows = new Map<string, Value | undefined>()
  for (const { key, value: row } of machine.swapDirty()) {
    if (rows.has(key)) throw new Error(`the boundary names ${JSON.stringify(key)} twice`)
    rows.set(key, row)
  }
  return rows
}

/** Outcome value of a reply that was executed. */
export function value(reply: Reply): Value {
  if (reply.kind !== 'outcome' || reply.outcome.kind !== 'value') throw new Error(`no value: ${JSON.stringify(reply)}`)
  return reply.outcome.value
}

/** Code of a refusal or rejection. */
export function code(reply: Reply): string {
  if (reply.kind === 'refused') return reply.code
  if (reply.kind === 'outcome' && reply.outcome.kind === 'reject') return reply.outcome.code
  return `not refused: ${JSON.stringify(reply)}`
}
