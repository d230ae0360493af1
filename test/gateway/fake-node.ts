import { VoterStops } from '../../src/node/skip/voter-stops.ts'
import { groupId, type LogIndex, logIndex, nodeId, type NodeId, term } from '../../src/base/brand.ts'
import type { TransferOutcome } from '../../src/raft/types.ts'
import { DEFAULT_LIMITS } from '../../src/codec/entry/default-limits.ts'
import type { Limits, SessionNumbers } from '../../src/codec/entry/payload.ts'
import { encodePayload } from '../../src/codec/entry/payload-codec.ts'
import { sessionCodec } from '../../src/codec/session-codec.ts'
import type { Entry, EntryKind } from '../../src/codec/entry/entry.ts'
import type { Value } from '../../src/codec/value/value.ts'
import { Inspection } from '../../src/node/inspect/inspection.ts'
import type { ReadRecords } from '../../src/node/ports/log-store.ts'
import { realClock } from '../transport/fake-clock.ts'
import type { NodeListener, NodeStatus, ProposalSink, RaftNode, ReadSink } from '../../src/node/api.ts'
import type { CommandParser, QueryParser } from '../../src/gateway/gateway-options.ts'
import { SessionStateMachine } from '../../src/session/session-state-machine.ts'
import type { MachineContext, Outcome, UserStateMachine } from '../../src/session/user-machine.ts'

/** Machine `t`: counts its calls, emits, rejects and throws as it is told. */
export class TestMachine implements UserStateMachine {
  calls: string[] = []
  inputs: Value[] = []

  apply(context: MachineContext, command: { machine: string; command: string; input: Value }): Outcome {
    this.calls.push(command.command)
    this.inputs.push(command.input)
    switch (command.command) {
      case 'echo':
        return { kind: 'value', value: command.input }
      case 'emit':
        for (let count = 0; count < Number(command.input); count += 1) {
          if (context.session !== null) context.emit(context.session.id, 'note', { count })
        }
        return { kind: 'value', value: null }
      case 'reject':
        return { kind: 'reject', code: 'NO', details: command.input }
      default:
        throw new Error('unknown command')
    }
  }

  onSessionCreated(): void {}
  onSessionExpired(): void {}

  query(view: { session: { principal: string } | null }, request: { query: string; input: Value }): Outcome {
    if (request.query === 'asker') return { kind: 'value', value: view.session?.principal ?? null }
    if (request.query === 'throw') throw new Error('in a query')
    if (request.query === 'echo') return { kind: 'value', value: request.input }
    return { kind: 'value', value: this.calls.length }
  }
}

/** A parser that refuses the number 13 and notes the version it parses under. */
export function parserOf(version: () => number): { parse: CommandParser; parseQuery: QueryParser } {
  const unknown = { ok: false, message: 'unknown', details: { issues: [] } } as const
  return {
    parse: (machine, command, bytes) => {
      if (machine !== 't') return { ...unknown, code: 'UNKNOWN_MACHINE' }
      if (command === 'unknown') return { ...unknown, code: 'UNKNOWN_COMMAND' }
      const value = sessionCodec.decodeValue(bytes)
      if (value === 13)
        return {
          ok: false,
          code: 'VALIDATION_ERROR',
          message: 'not 13',
          details: { issues: [{ path: '', message: 'not 13' }] },
        }
      return { ok: true, input: Uint8Array.from(bytes), version: version() }
    },
    parseQuery: (machine, _query, bytes) =>
      machine === 't' ? { ok: true, input: sessionCodec.decodeValue(bytes) } : { ...unknown, code: 'UNKNOWN_MACHINE' },
  }
}

interface Queued {
  readonly kind: EntryKind
  readonly payload: Uint8Array
  readonly sink: ProposalSink | null
  /** Index that its sink was told; 0: not appended yet. */
  index: number
}

/** A node that appends what it is told and applies it, through the real session state machine, when it is told. */
export class FakeNode implements RaftNode {
  readonly id = nodeId('n1')
  readonly clusterId = 'c1'
  readonly group = groupId(0)
  readonly incarnation = 1
  readonly user = new TestMachine()
  readonly machine: SessionStateMachine
  readonly inspection: Inspection
  readonly membership: RaftNode['membership'] = {
    list: () => ({ index: logIndex(0), committed: false, joint: false, members: [] }),
    change: (_change, done) => done({ kind: 'refused', code: 'NOT_WAITING' }),
  }
  readonly recovery: RaftNode['recovery'] = {
    stops: new VoterStops({
      self: nodeId('n1'),
      voters: () => [nodeId('n1')],
      connected: () => true,
      changed: () => undefined,
    }),
    skip: () => 'NOT_STOPPED',
    checkSkip: () => 'NOT_STOPPED',
  }
  readonly attachedSessions = new Set<number>()
  role: RaftNode['role'] = 'leader'
  leader: NodeId | null = nodeId('n1')
  leading = true
  halted: RaftNode['halted'] = null
  replaying = false
  now = 1_000_000
  /** Kinds of everything that was ever submitted and appended. */
  readonly submitted: EntryKind[] = []
  queue: Queued[] = []
  private listeners: NodeListener[] = []
  private waiters: { index: number; done: (reached: boolean) => void }[] = []
  /** Reads wait for the test; else they are served at once, as soon as the caller is done. */
  holdsReads = false
  reads: ReadSink[] = []
  private keepAlives: { session: SessionNumbers; sink: ProposalSink }[] = []

  constructor(limits: Partial<Limits> = {}, machine?: SessionStateMachine) {
    this.machine = machine ?? new SessionStateMachine(this.user, sessionCodec)
    const log = {
      firstIndex: logIndex(1),
      read: ({ first }: { first: LogIndex }, done: (fault: null, read: ReadRecords) => void) =>
        done(null, { records: new Uint8Array(0), first, last: logIndex(first - 1) }),
    }
    const parts = { log, clock: realClock, codec: sessionCodec, machine: this.machine, stopped: () => false }
    this.inspection = new Inspection(parts, { currentLease: () => 0 })
    const voters = [{ id: this.id, address: '127.0.0.1:1', instanceId: 'a'.repeat(32) }]
    this.applyEntry(
      'Configuration',
      encodePayload('Configuration', {
        clusterId: 'c1',
        incarnation: 1,
        voters,
        learners: [],
        outgoing: [],
        promoting: [],
        removed: [],
      }),
    )
    this.applyEntry('Limits', encodePayload('Limits', { ...DEFAULT_LIMITS, ...limits }))
  }

  addressOf(id: NodeId): string | null {
    return `address-of-${id}`
  }

  submit(kind: EntryKind, payload: Uint8Array, sink: ProposalSink | null): void {
    if (this.role !== 'leader') {
      sink?.refused('NOT_LEADER', this.leader)
      return
    }
    this.submitted.push(kind)
    this.queue.push({ kind, payload: Uint8Array.from(payload), sink, index: 0 })
  }

  /** How transfers of leadership that were asked for end; whom they named stays in `transfers`. */
  transferOutcome: TransferOutcome = 'handedOver'
  readonly transfers: (NodeId | null)[] = []

  transferLeadership(to: NodeId | null, done: (outcome: TransferOutcome) => void): void {
    this.transfers.push(to)
    done(this.transferOutcome)
  }

  keepAlive(session: SessionNumbers, sink: ProposalSink): void {
    this.keepAlives.push({ session, sink })
  }

  listen(listener: NodeListener): void {
    this.listeners.push(listener)
  }

  waitApplied(index: number, done: (reached: boolean) => void): { cancel(): void } {
    const waiter = { index, done }
    if (this.machine.appliedIndex >= index) done(true)
    else this.waiters.push(waiter)
    return {
      cancel: () => {
        this.waiters = this.waiters.filter((other) => other !== waiter)
      },
    }
  }

  /** Those who wait for an index. */
  get waiting(): number {
    return this.waiters.length
  }

  read(sink: ReadSink): void {
    if (this.holdsReads) {
      this.reads.push(sink)
      return
    }
    queueMicrotask(() => {
      sink.begun()
      sink.ready()
    })
  }

  logNow(): number {
    return this.now
  }

  /** Tells everything that was submitted its index, and what is submitted thereupon. */
  appendAll(): void {
    for (let position = 0; position < this.queue.length; position += 1) {
      const queued = this.queue[position]
      if (queued === undefined || queued.index > 0) continue
      queued.index = this.machine.appliedIndex + position + 1
      queued.sink?.appended?.(queued.index)
    }
  }

  /** Commits and applies everything that was submitted, as one batch; then what that led to. */
  run(): void {
    while (this.queue.length > 0 || this.keepAlives.length > 0) {
      // What has an index keeps it.
      const keepAlives = this.queue.some(({ index }) => index > 0) ? [] : this.keepAlives
      if (keepAlives === this.keepAlives) this.keepAlives = []
      if (keepAlives.length > 0) {
        const payload = encodePayload('KeepAlive', { sessions: keepAlives.map(({ session }) => session) })
        this.applyEntry('KeepAlive', payload, {
          settled: (reply, index, now) => {
            for (const { sink } of keepAlives) sink.settled(reply, index, now)
          },
          refused: () => {},
          lost: () => {},
        })
      }
      this.appendAll()
      const queue = this.queue
      this.queue = []
      for (const { kind, payload, sink } of queue) this.applyEntry(kind, payload, sink)
      for (const listener of this.listeners) listener.batchApplied()
      const reached = this.waiters.filter(({ index }) => index <= this.machine.appliedIndex)
      this.waiters = this.waiters.filter((waiter) => !reached.includes(waiter))
      for (const { done } of reached) done(true)
    }
  }

  /** An entry that no client of this node asked for. */
  append(kind: EntryKind, payload: Uint8Array = new Uint8Array(0)): void {
    this.queue.push({ kind, payload, sink: null, index: 0 })
  }

  /** Another node leads now; what was appended here is lost, or (`kept`, the first so many) committed all the same. */
  loseLead(leader: NodeId | null, kept = 0): void {
    this.role = 'follower'
    this.leading = false
    this.leader = leader
    const queue = this.queue
    this.queue = queue.slice(0, kept).map(({ kind, payload, index }) => ({ kind, payload, sink: null, index }))
    for (const { sink } of queue) sink?.lost()
    for (const listener of this.listeners) listener.roleChanged()
  }

  becomeLeader(): void {
    this.role = 'leader'
    this.leading = true
    this.leader = this.id
    for (const listener of this.listeners) listener.roleChanged()
  }

  stop(code: string): void {
    for (const listener of this.listeners) listener.stopped({ code, message: 'the disk is gone' })
  }

  status(): NodeStatus {
    return {
      id: this.id,
      role: this.role,
      leader: this.leader,
      term: term(1),
      commitIndex: logIndex(this.machine.appliedIndex),
      appliedIndex: logIndex(this.machine.appliedIndex),
      lastIndex: logIndex(this.machine.appliedIndex),
      stateHash: this.machine.stateHash(),
      snapshotIndex: logIndex(0),
      syncP50Ms: 0,
      syncP99Ms: 0,
      failures: { total: 0, last: null },
      sessions: this.machine.counts.sessions,
      rows: this.machine.counts.rows,
      followers: [],
      awaited: [],
      halted: this.halted,
      machines: this.machine.machines(),
      runtime: '',
      holdfast: '',
      development: false,
      peerBuilds: [],
      differs: null,
      pull: null,
      owes: null,
      leaseMs: 0,
      leaseHeld: false,
      limboAnswered: 0,
      limboWaited: 0,
      readRounds: 0,
      voters: [this.id],
    }
  }

  close(done: () => void): void {
    done()
  }

  private applyEntry(kind: EntryKind, payload: Uint8Array, sink: ProposalSink | null = null): void {
    const index = this.machine.appliedIndex + 1
    this.now += 1
    const entry: Entry = { kind, index: logIndex(index), term: term(1), lease: this.now, now: this.now, payload }
    const applied = this.machine.apply(entry, payload.length + 56)
    sink?.settled(applied.reply, index, this.now)
    for (const listener of this.listeners) listener.applied(applied)
  }
}
