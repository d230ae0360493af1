import type { LogIndex, NodeId } from '../base/brand.ts'
import type { SessionNumbers } from '../codec/entry/payload.ts'
import type { EntryKind } from '../codec/entry/entry.ts'
import type { ApplyHalt, HaltCode } from '../session/run/halt.ts'
import type { Halt, NodeEvent, ProposalSink, ReadSink, RoleName } from './api.ts'
import type { ApplyPipeline } from './apply/apply-pipeline.ts'
import type { Leadership } from './leadership.ts'
import { APPLY_BEHIND_MAX } from './options.ts'
import type { Pending } from './propose/pending.ts'
import type { DiskRoom } from './ports/disk-room.ts'
import type { Proposals } from './propose/proposals.ts'
import type { ReadRequests } from './reads/read-requests.ts'

export interface ServingParts {
  readonly self: NodeId
  readonly proposals: Proposals
  readonly pending: Pending
  pipeline(): ApplyPipeline
  readonly leadership: Leadership
  readonly reads: ReadRequests
  /** Absent: there is always room. */
  readonly room?: DiskRoom | undefined
  role(): RoleName
  /** Whom to turn to. */
  leader(): NodeId | null
  /** This node leads and may answer. */
  leading(): boolean
  /** Something waits to be proposed. */
  proposed(): void
  /** It answers nothing more, or again. */
  changed(event: Extract<NodeEvent, { kind: 'halted' | 'resumed' }>): void
}

/**
 * Whether this node takes what clients want: it does, it has halted (it applies and answers nothing, and still votes and
 * replicates), or it has stopped for good. Whoever waits at the moment of a change is told, once.
 */
export class Serving {
  stopped: { readonly code: string; readonly message: string } | null = null
  halted: Halt | null = null
  private readonly parts: ServingParts

  constructor(parts: ServingParts) {
    this.parts = parts
  }

  /** Has this leader append a SkipEntry, halted as it is: nobody has got past the entry that it names. */
  submitSkip(payload: Uint8Array, sink: ProposalSink): void {
    if (this.stopped !== null) return sink.refused('SHUTTING_DOWN', null)
    this.parts.proposals.add('SkipEntry', payload, sink)
    this.parts.proposed()
  }

  submit(kind: EntryKind, payload: Uint8Array, sink: ProposalSink | null): void {
    const { self, role, leader, pipeline, proposals, proposed, room } = this.parts
    if (this.stopped !== null) sink?.refused('SHUTTING_DOWN', null)
    else if (this.halted !== null) sink?.refused('HALTED', leader())
    else if (role() !== 'leader') sink?.refused('NOT_LEADER', leader())
    else if (pipeline().behind > APPLY_BEHIND_MAX) sink?.refused('APPLY_BEHIND', self)
    // What keeps sessions alive, acknowledges and is due goes on: it is little, and frees what it acknowledges.
    else if (room?.short === true && kind === 'ClientRequest') sink?.refused('DISK_FULL', self)
    else {
      proposals.add(kind, payload, sink)
      proposed()
    }
  }

  keepAlive(session: SessionNumbers, sink: ProposalSink): void {
    const { leader, leading, leadership } = this.parts
    if (this.stopped !== null) sink.refused('SHUTTING_DOWN', null)
    else if (this.halted !== null) sink.refused('HALTED', leader())
    else if (leading()) leadership.duties.keepAlive(session, sink)
    else sink.refused('NOT_LEADER', leader())
  }

  read(sink: ReadSink, waitMs: number): void {
    if (this.stopped !== null) sink.failed('SHUTTING_DOWN')
    else if (this.halted !== null) sink.failed('HALTED')
    else this.parts.reads.add(sink, waitMs)
  }

  /**
   * This node applies nothing more and answers nothing, from this moment on: whoever waits is told so. It goes on to vote
   * and to replicate, for the entries are good; what this process would make of them is not (sessions.md §10). The core is
   * told in the next turn: a sole voter stays leader, for there is nobody to hand over to. One that awaits its state may be
   * found to have no place in the cluster meanwhile.
   */
  haltBy({ code, message, index, part }: ApplyHalt): void {
    const before = this.halted?.code ?? null
    if (this.stopped !== null || (before !== null && (!ENDS.has(before) || ENDS.has(code)))) return
    const halt: Halt = part === null ? { code, message, index } : { code, message, index, part }
    this.halted = halt
    this.parts.pipeline().halt()
    this.refuseWaiting('HALTED', this.parts.leader())
    this.parts.changed({ kind: 'halted', ...halt })
  }

  /** The state that it halted for is here, up to that index: it answers again. */
  resume(index: LogIndex): void {
    if (this.stopped !== null || this.halted === null || !ENDS.has(this.halted.code)) return
    this.halted = null
    this.parts.changed({ kind: 'resumed', index })
  }

  /** Stops for good, unless it has; false: it had. */
  stop(fault: NonNullable<Serving['stopped']>): boolean {
    if (this.stopped !== null) return false
    this.stopped = fault
    return true
  }

  /** Applies nothing more, and tells whoever waits. */
  end(): void {
    this.parts.pipeline().stop()
    this.refuseWaiting('SHUTTING_DOWN', this.parts.leader())
  }

  private refuseWaiting(code: 'HALTED' | 'SHUTTING_DOWN', leader: NodeId | null): void {
    const { proposals, pending, leadership, reads } = this.parts
    proposals.refuse(code, leader)
    leadership.duties.refuse(code)
    pending.abortAll()
    reads.refuse(code)
  }
}

/** The halts that end while the process runs. */
const ENDS: ReadonlySet<HaltCode> = new Set(['STATE_AWAITED', 'ENGINE_ERROR', 'SKIP_MISSED'])
