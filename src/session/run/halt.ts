/** Why a node applies nothing more although it lives: its machines, or what they made of the log (sessions.md §10). */
export type HaltCode =
  /** The log switched to a machine, or a version of one, that this build does not have. */
  | 'MACHINE_MISSING'
  /** This build has that machine and version with another schema. */
  | 'MACHINE_DIFFERS'
  /** The log, applied again, gave another state than this node's machines made of it before. */
  | 'REPLAY_DIVERGED'
  /** The other replicas made another state of the same entries. */
  | 'DIVERGED'
  /** The JavaScript engine failed in the middle of the entry, which is no outcome: `part` says where. */
  | 'ENGINE_ERROR'
  /** A part of an entry that is skipped was run here. */
  | 'SKIP_MISSED'
  /** Its state was set aside, and the snapshot of the others that is to take its place is not here yet. */
  | 'STATE_AWAITED'
  /** This node's disk was removed from the cluster, or replaced by another one. */
  | 'REMOVED'

/**
 * This node must not apply the entry at `index`, or what it has applied up to there is not what the cluster has. Thrown
 * by apply before the entry changes anything, and again by every later call. It is the state of one node and no outcome:
 * the node stops applying and answering, and goes on to vote and to replicate. `message` is a sentence for the operator:
 * which machine differs and how, and what to do.
 */
export class ApplyHalt extends Error {
  override readonly name = 'ApplyHalt'
  readonly code: HaltCode
  /** Log index at which it stopped: what is below is applied. */
  readonly index: number
  /** The part of that entry which the engine failed at; null for all other codes. */
  readonly part: string | null
  constructor(code: HaltCode, index: number, message: string, part: string | null = null) {
    super(message)
    this.code = code
    this.index = index
    this.part = part
  }
}
