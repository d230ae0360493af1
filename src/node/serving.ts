import type { NodeId } from '../base/brand.ts'
import type { SessionNumbers } from '../codec/entry/payload.ts'
import type { EntryKind } from '../codec/entry/entry.ts'
import type { Halt, ProposalSink, ReadSink, RoleName } from './api.ts'
import type { ApplyPipeline } from './apply/apply-pipeline.ts'
import type { Leadership } from './leadership.ts'
import { APPLY_BEHIND_MAX } from './options.ts'
import type { Pending } from './propose/pending.ts'
import type { Proposals } from './propose/proposals.ts'
import type { ReadRequests } from './reads/read-requests.ts'

export interface ServingParts {
  readonly self: NodeId
  readonly proposals: Proposals
  readonly pending: Pending
  pipeline(): ApplyPipeline
  readonly leadership: Leadership
  readonly reads: ReadRequests
  role(): RoleName
  /** Whom to turn to. */
  leader(): NodeId | null
  /** This node leads and may answer. */
  leading(): boolean
  /** Something waits to be proposed. */
  proposed(): void
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

  submit(kind: EntryKind, payload: Uint8Array, sink: ProposalSink | null): void {
    const { self, role, leader, pipeline, proposals, proposed } = this.parts
    if (this.stopped !== null) sink?.refused('SHUTTING_DOWN', null)
    else if (this.halted !== null) sink?.refused('HALTED', leader())
    else if (role() !== 'leader') sink?.refused('NOT_LEADER', leader())
    else if (pipeline().behind > APPLY_BEHIND_MAX) sink?.refused('APPLY_BEHIND', self)
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

  /** Applies and answers nothing more, from this moment on; false: it did not serve before. */
  halt(halt: Halt): boolean {
    if (this.halted !== null || this.stopped !== null) return false
    this.halted = halt
    this.parts.pipeline().halt()
    this.refuseWaiting('HALTED', this.parts.leader())
    return true
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
