import type { Entry } from '../../codec/entry/entry.ts'
import type { ClientRequestPayload, MachineAdvance } from '../../codec/entry/payload.ts'
import type { SessionCodec } from '../../codec/session-codec.ts'
import { ValueError } from '../../codec/value/value-error.ts'
import type { ReplicatedState } from '../state/replicated-state.ts'
import { TASK_MACHINE } from '../tables/tasks.ts'
import type { UserStateMachine } from '../user-machine.ts'
import { checkBuild, type WantedMachine } from './check-build.ts'
import { OWN_MACHINE } from '../own-versions.ts'
import { isSame, type SkippedPart } from '../skipped-parts.ts'
import { ApplyHalt } from './halt.ts'

/** Whether this build may apply what the log asks for (sessions.md §10). */
export class VersionGate {
  private readonly state: ReplicatedState
  private readonly user: UserStateMachine

  constructor(state: ReplicatedState, user: UserStateMachine) {
    this.state = state
    this.user = user
  }

  /** Before the entry changes anything: throws when this build lacks what it switches to. */
  checkAdvance(entry: Entry): void {
    const { codec, versions } = this.state
    for (const { machine, to, schema } of advancesOf(codec, entry)) {
      if (to <= (versions.find(machine)?.version ?? 0)) continue
      const halt = this.haltOf({ machine, version: to, schema }, entry.index)
      if (halt !== null) throw halt
    }
  }

  /**
   * In a log of an earlier build, which names no versions, a request still says by which one it was parsed. A build that has
   * only later ones, or not the machine at all (a leader logs no command of a machine that it lacks), must not answer it. One
   * of another version than the active one is not run by any build.
   */
  checkEarlier(entry: Entry): void {
    const { codec, versions } = this.state
    const { machine, version } = requestOf(codec, entry) ?? {}
    if (machine === undefined || version !== versions.active(machine)) return
    if (machine === TASK_MACHINE) return
    const halt = this.haltOf({ machine, version, schema: null }, entry.index)
    if (halt !== null) throw halt
  }

  /** Why this build must not go on with what is active in a state restored at that index, or null. */
  checkRestored(index: number): ApplyHalt | null {
    for (const [machine, { version, schema }] of this.state.versions.all()) {
      const halt = this.haltOf({ machine, version, schema }, index)
      if (halt !== null) return halt
    }
    return null
  }

  /**
   * A part that was to be skipped was run here: this node had it applied before it knew (docs/decisions/skipping-an-entry.md).
   * Its state from that entry on is nobody's. Before version 2 of the session layer the entry means nothing: null. Else what
   * it names.
   */
  checkSkip(entry: Entry): SkippedPart | null {
    const { codec, versions, skipped } = this.state
    const skip = versions.takes('SkipEntry') ? skipOf(codec, entry) : null
    if (skip === null || skip.index >= entry.index) return null
    if (skipped.some((each) => isSame(each, skip))) return skip
    throw new ApplyHalt(
      'SKIP_MISSED',
      entry.index,
      `entry ${entry.index} says that ${skip.part} of entry ${skip.index} is skipped, and this node has run it; its state is ` +
        'made anew of a snapshot before that entry, or taken from another node',
    )
  }

  private haltOf(wanted: WantedMachine, index: number): ApplyHalt | null {
    if (wanted.machine === OWN_MACHINE.name) return checkBuild([OWN_MACHINE], wanted, index)
    const { machines } = this.user
    return machines === undefined ? null : checkBuild(machines, wanted, index)
  }
}

/** A command as it was logged; null when it does not decode, which apply answers. */
function requestOf(codec: SessionCodec, entry: Entry): ClientRequestPayload | null {
  try {
    return codec.decodeClientRequest(entry.payload)
  } catch (error) {
    if (error instanceof ValueError) return null
    throw error
  }
}

/** What a SkipEntry names; null when it does not decode, which apply answers. */
function skipOf(codec: SessionCodec, entry: Entry): SkippedPart | null {
  try {
    return codec.decodePayload('SkipEntry', entry.payload)
  } catch (error) {
    if (error instanceof ValueError) return null
    throw error
  }
}

/** The machines of an AdvanceVersion entry; none when it does not decode, which apply answers like any such payload. */
function advancesOf(codec: SessionCodec, entry: Entry): readonly MachineAdvance[] {
  try {
    return codec.decodePayload('AdvanceVersion', entry.payload).machines
  } catch (error) {
    if (error instanceof ValueError) return []
    throw error
  }
}
