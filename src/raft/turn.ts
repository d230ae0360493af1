import { assert } from '../base/assert.ts'
import {
  BEFORE_LOG,
  type LogIndex,
  type Millis,
  type NodeId,
  type Term,
  type WriteNumber,
  writeNumber,
} from '../base/brand.ts'
import { withRestart, withTruncation, withWrite, writeHolding } from './durability.ts'
import { type RaftState, transferOf } from './state.ts'
import { lastIndexOf, lastTermOf, withAppended, withoutFrom } from './trail.ts'
import type {
  ChangeRefusal,
  ConfigurationEntry,
  Effect,
  Message,
  PersistRun,
  ProposeRefusal,
  ReadFailure,
  TransferOutcome,
} from './types.ts'

interface MessageToSend {
  readonly to: NodeId
  readonly message: Message
  /** null: waits for nothing; else for term, vote and the own entries up to this index. */
  readonly speaksOf: LogIndex | null
}

/**
 * The working copy of one step: rules replace `state` and name what is to happen; `effects` then turns it into at most
 * one numbered write and messages that name the write they wait for. It lives as long as the step, nobody else sees it.
 */
export class Turn {
  state: RaftState
  readonly now: Millis
  private readonly before: RaftState
  private truncateFrom: LogIndex | null = null
  private readonly entries: PersistRun[] = []
  private readonly outgoing: MessageToSend[] = []
  private restarted: { readonly index: LogIndex; readonly term: Term } | null = null
  private wanted: Extract<Effect, { kind: 'pullSnapshot' }> | null = null
  private readonly readsEnded: Effect[] = []
  private transferOutcome: TransferOutcome | null = null
  private obligationMet = false
  private lost: Extract<Effect, { kind: 'entriesLost' }> | null = null
  private refusal: Extract<Effect, { kind: 'refused' | 'changeRefused' }> | null = null

  constructor(state: RaftState, now: Millis) {
    this.state = state
    this.before = state
    this.now = now
  }

  /** Number of the write that this step issues, if it issues one. */
  nextWrite(): WriteNumber {
    return writeNumber(this.before.disk.lastWrite + 1)
  }

  /** Drops every entry at and above `from`; what is committed can never be dropped (raft.md §2.3). */
  truncate(from: LogIndex): void {
    const { state } = this
    assert(from > state.commitIndex, 'a committed entry is never truncated', { from, commitIndex: state.commitIndex })
    assert(this.truncateFrom === null, 'a step truncates at most once', { from })
    assert(this.entries.length === 0, 'a step truncates before it appends', { from })
    this.truncateFrom = from
    const trail = withoutFrom(state.trail, from)
    this.state = {
      ...state,
      trail,
      lastIndex: lastIndexOf(trail),
      disk: withTruncation(state.disk, { index: lastIndexOf(trail), term: lastTermOf(trail) }),
      configurations: state.configurations.filter((entry) => entry.index < from),
    }
  }

  /** Appends entries behind the last one. */
  append(entries: readonly PersistRun[]): void {
    const trail = withAppended(this.state.trail, entries)
    this.state = { ...this.state, trail, lastIndex: lastIndexOf(trail) }
    this.entries.push(...entries)
  }

  /**
   * Gives the whole log up for an installed snapshot, whose last entry it does not hold. That entry is committed, and so is
   * all before it: what goes are committed entries that the snapshot covers, and others that conflict with it or end below it
   * (raft.md §1, Snapshot install).
   */
  restart(
    last: { readonly index: LogIndex; readonly term: Term },
    configurations: readonly ConfigurationEntry[],
  ): void {
    const { state } = this
    assert(last.index > state.commitIndex, 'a log is given up for a snapshot that covers more than it committed', {
      last,
      commitIndex: state.commitIndex,
    })
    assert(this.truncateFrom === null && this.entries.length === 0, 'a step that restarts the log writes nothing else')
    this.restarted = last
    this.state = {
      ...state,
      trail: { snapshotIndex: last.index, snapshotTerm: last.term, runs: [] },
      lastIndex: last.index,
      commitIndex: last.index,
      disk: withRestart(state.disk, last),
      configurations,
    }
  }

  /** A snapshot is to be pulled. */
  pull(from: NodeId, last: { readonly index: LogIndex; readonly term: Term }): void {
    this.wanted = { kind: 'pullSnapshot', from, ...last }
  }

  /** Moves the commit index up and has the entries applied. */
  commit(index: LogIndex): void {
    const { state } = this
    assert(index > state.commitIndex, 'the commit index never falls', { index, commitIndex: state.commitIndex })
    assert(index <= state.lastIndex, 'only entries of the log are committed', { index, lastIndex: state.lastIndex })
    let { configurations } = state
    while ((configurations[1]?.index ?? Number.POSITIVE_INFINITY) <= index) configurations = configurations.slice(1)
    this.state = { ...state, commitIndex: index, configurations }
  }

  /** Sends a message that waits for nothing: AppendEntries, heartbeats, pre-vote requests. */
  sendAtOnce(to: NodeId, message: Message): void {
    this.outgoing.push({ to, message, speaksOf: null })
  }

  /**
   * Sends a message that waits for this node's term and vote to be durable, and for its entries up to `entriesUpTo`: every
   * reply and RequestVote. Without it: n1 wins term T, sends 11@T to n2, crashes, restarts in T−1 and wins T again.
   */
  sendOnceDurable(to: NodeId, message: Message, entriesUpTo: LogIndex = BEFORE_LOG): void {
    this.outgoing.push({ to, message, speaksOf: entriesUpTo })
  }

  /** The proposal of this step is not appended. */
  refuse(reason: ProposeRefusal, leader: NodeId | null): void {
    this.refusal = { kind: 'refused', reason, leader }
  }

  /** The change of this step is not appended. */
  refuseChange(reason: ChangeRefusal, leader: NodeId | null): void {
    this.refusal = { kind: 'changeRefused', reason, leader }
  }

  /** What was owed is on disk. */
  meetObligation(): void {
    this.obligationMet = true
  }

  /** Some of what it owed is on no voter's disk. */
  loseEntries(lost: Extract<Effect, { kind: 'entriesLost' }>): void {
    this.lost = lost
  }

  /** That read of this node, and all before it, have their index. */
  answerRead(id: number, index: LogIndex, limboFrom: LogIndex | null): void {
    this.readsEnded.push({ kind: 'readReady', id, index, limboFrom })
  }

  /** That read of this node, and all before it that wait, get none. */
  failRead(id: number, reason: ReadFailure): void {
    this.readsEnded.push({ kind: 'readFailed', id, reason })
  }

  /** A transfer ends, or does not begin; that this node leads no more is seen by itself. */
  endTransfer(outcome: TransferOutcome): void {
    this.transferOutcome = outcome
  }

  /** Ends the step: the write first, then what was refused or aborted, the messages, what may be applied, reads, a transfer. */
  effects(): readonly Effect[] {
    const effects: Effect[] = []
    this.issueWrite(effects)
    if (this.truncateFrom !== null) effects.push({ kind: 'abort', from: this.truncateFrom })
    if (this.restarted !== null) effects.push({ kind: 'abort', from: BEFORE_LOG })
    if (this.refusal !== null) effects.push(this.refusal)
    for (const { to, message, speaksOf } of this.outgoing) {
      const after = speaksOf === null ? null : writeHolding(this.state.disk, speaksOf)
      effects.push({ kind: 'send', to, message, after })
    }
    if (this.wanted !== null) effects.push(this.wanted)
    const { commitIndex } = this.state
    if (commitIndex > this.before.commitIndex) effects.push({ kind: 'apply', upTo: commitIndex })
    effects.push(...this.readsEnded)
    const left = transferOf(this.before) !== null && this.state.role.kind !== 'leader'
    const outcome = left ? 'handedOver' : this.transferOutcome
    if (outcome !== null) effects.push({ kind: 'transferEnded', outcome })
    if (this.lost !== null) effects.push(this.lost)
    if (this.obligationMet) effects.push({ kind: 'obligationMet' })
    return effects
  }

  private issueWrite(effects: Effect[]): void {
    const { state, before, truncateFrom, entries, restarted } = this
    const { currentTerm, votedFor } = state
    const changed = currentTerm !== before.currentTerm || votedFor !== before.votedFor
    if (!changed && truncateFrom === null && entries.length === 0 && restarted === null) return
    const hardState = changed ? { currentTerm, votedFor } : null
    const write = this.nextWrite()
    const holds = { write, lastIndex: state.lastIndex, lastTerm: lastTermOf(state.trail), hardState }
    this.state = { ...state, disk: withWrite(state.disk, holds) }
    if (restarted !== null) effects.push({ kind: 'restartLog', write, hardState, ...restarted })
    else effects.push({ kind: 'persist', write, hardState, truncateFrom, entries })
  }
}
