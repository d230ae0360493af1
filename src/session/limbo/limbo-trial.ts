import { indexAfter, logIndex, type LogIndex } from '../../base/brand.ts'
import type { Entry, EntryKind } from '../../codec/entry/entry.ts'
import { applyEntry } from '../entries/apply-entry.ts'
import { raiseClocks } from '../entries/raise-clocks.ts'
import { isEngineError } from '../run/engine-error.ts'
import type { MachineRunner } from '../run/machine-runner.ts'
import type { ReplicatedState } from '../state/replicated-state.ts'
import type { LimboRows, LimboTrial } from '../state-machine.ts'
import type { LimboRefusal } from './limbo-refusal.ts'
import { LimboState, NotFollowed } from './limbo-state.ts'
import { WrittenRows } from './limbo-rows.ts'

/** Entries that are followed at most, and rows that they may write: 4,096 commands are 40 ms of work, and 1 MB of keys. */
const ENTRIES_MAX = 4096
const ROWS_MAX = 4096

/** Kinds that are followed. Of the others, most run hooks over sessions or change what is beyond a command's rows. */
const FOLLOWED: ReadonlySet<EntryKind> = new Set([
  'Noop',
  'Tick',
  'Snapshot',
  'ClientRequest',
  'ServerRequestAck',
  'KeepAlive',
  'AttachSession',
])

/**
 * Entries of limbo, applied to a state that is thrown away (lease-reads.md, step 4). They are applied by the code that applies
 * them for good, one after the other, so that each finds what those before it have left; what the throw-away state does not
 * follow ends it. So the keys that were written are those that are written for good, whichever prefix of them is.
 */
export class OverlayTrial implements LimboTrial {
  refused: LimboRefusal | null = null
  private readonly base: ReplicatedState
  private readonly state: LimboState
  private readonly runner: MachineRunner
  private readonly first: LogIndex
  private entries = 0

  /** `base` is between two entries; `runner` is its own. */
  constructor(base: ReplicatedState, runner: MachineRunner) {
    this.base = base
    this.state = new LimboState(base)
    this.runner = runner.on(this.state)
    this.first = indexAfter(logIndex(base.index))
  }

  add(entry: Entry): boolean {
    this.refused ??= this.refusalOf(entry) ?? this.follow(entry)
    return this.refused === null
  }

  rows(): LimboRows | null {
    if (this.refused !== null) return null
    const { index, now, userRows } = this.state
    return new WrittenRows({ first: this.first, last: logIndex(index) }, now, userRows.written)
  }

  private refusalOf(entry: Entry): LimboRefusal | null {
    if (this.base.index + 1 !== this.first) return 'moved'
    if (this.entries >= ENTRIES_MAX) return 'tooMany'
    if (!FOLLOWED.has(entry.kind)) return 'kind'
    // What it does is the machine's, and it may arm others.
    return this.state.timers.isDue(Math.max(this.state.now, entry.now)) ? 'timer' : null
  }

  private follow(entry: Entry): LimboRefusal | null {
    const { state } = this
    this.entries += 1
    try {
      state.now = raiseClocks(state, entry)
      applyEntry(state, this.runner, entry)
      state.finishEntry()
    } catch (error) {
      // What is not followed may come of a commit that has begun, which is an error of the engine to whoever runs it.
      if (state.refused !== null) return state.refused
      // What the engine's own limits break here may stand there: it says nothing of the entry.
      if (isEngineError(error)) return 'engine'
      if (!(error instanceof NotFollowed)) throw error
    }
    if (state.refused !== null) return state.refused
    return state.userRows.written.size > ROWS_MAX ? 'tooMany' : null
  }
}
