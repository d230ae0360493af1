import { unreachable } from '../../base/assert.ts'
import { logIndex, type WriteNumber } from '../../base/brand.ts'
import type { RaftState } from '../../raft/index.ts'
import type { Effect, TransferOutcome } from '../../raft/types.ts'
import type { NodeEvent } from '../api.ts'
import type { ApplyPipeline } from '../apply/apply-pipeline.ts'
import type { Installation } from '../install/installation.ts'
import type { DriverOptions } from '../options.ts'
import { OutgoingMessages } from '../peers/outgoing-messages.ts'
import type { StorageFault } from '../ports/storage-fault.ts'
import { LogWrites, type LogWritesParts } from '../propose/log-writes.ts'
import type { ReadRequests } from '../reads/read-requests.ts'
import type { StepInput } from '../propose/write-records.ts'

export interface StepEffectsParts extends LogWritesParts {
  pipeline(): ApplyPipeline
  readonly installation: Installation
  readonly reads: ReadRequests
  /** A voter is known to have stopped in the middle of an entry. */
  someStopped(): boolean
  /** More is committed. */
  committed(): void
  /** The core's state as it is when asked. */
  raft(): RaftState
  fault(fault: StorageFault): void
  transferEnded(outcome: TransferOutcome): void
  note(event: NodeEvent): void
}

/** Carries out what a step of the core leads to, one effect at a time, in the order of the list. */
export class StepEffects {
  private readonly options: DriverOptions
  private readonly parts: StepEffectsParts
  private readonly outgoing: OutgoingMessages
  private readonly logWrites: LogWrites

  constructor(options: DriverOptions, parts: StepEffectsParts) {
    this.options = options
    this.parts = parts
    this.outgoing = new OutgoingMessages({
      log: options.log,
      transmit: (to, message, records) => parts.peers.transmit(to, message, records),
      lastIndex: () => parts.raft().lastIndex,
      clock: options.clock,
      currentTerm: () => parts.raft().currentTerm,
      fault: (fault) => parts.fault(fault),
      messageBytesMax: options.messageBytesMax,
    })
    this.logWrites = new LogWrites(options, parts)
  }

  /** `input`: the proposals, or the received records, of the step: what its persist effect refers to. */
  perform(effect: Effect, input: StepInput): void {
    const { log } = this.options
    const { pipeline, pending, raft, reads, installation } = this.parts
    switch (effect.kind) {
      case 'persist':
        this.logWrites.persist(effect, input, raft())
        return
      case 'send':
        this.outgoing.dispatch(effect.to, effect.message, effect.after)
        return
      case 'apply':
        pipeline().commitSoon(() => raft().commitIndex)
        this.parts.committed()
        return
      case 'abort':
        pending.abort(effect.from)
        return
      case 'restartLog':
        this.restartLog(effect)
        return
      case 'pullSnapshot':
        installation.want(effect.from, effect.index)
        return
      case 'refused':
        for (const { sink } of input.proposed) sink?.refused(effect.reason, effect.leader)
        return
      case 'entriesLost':
        return this.parts.note({ kind: 'entriesLost', index: effect.index, owed: effect.owed.index })
      case 'obligationMet':
        log.obligationMet()
        return
      case 'readReady':
        // What a voter has stopped at may be skipped by an entry that this leader does not hold: it is none of those in limbo.
        reads.ready(effect.id, this.parts.someStopped() ? { ...effect, limboFrom: null } : effect)
        return
      case 'readFailed':
        reads.failed(effect.id)
        return
      case 'changeRefused':
        this.parts.membership.refused(effect.reason)
        return
      case 'transferEnded':
        this.parts.transferEnded(effect.outcome)
        return
      default:
        unreachable(effect)
    }
  }

  private restartLog(effect: Extract<Effect, { kind: 'restartLog' }>): void {
    const { installation, raft } = this.parts
    const { currentTerm, votedFor } = raft()
    const { write, index, term } = effect
    const chain = installation.last?.chain ?? 0
    installation.restarted()
    this.parts.skips.truncateFrom(logIndex(0))
    this.options.log.restart({ write, hardState: { currentTerm, votedFor }, base: { index, term, chain } })
  }

  /** The step that follows is that of the change of the members which waits. */
  changeBegins(): void {
    this.parts.membership.begin()
  }

  /** That write is on disk: what waited for it leaves. */
  writeCompleted(write: WriteNumber): void {
    this.outgoing.writeCompleted(write)
  }

  /** Sends nothing more. */
  stop(): void {
    this.outgoing.stop()
  }
}
