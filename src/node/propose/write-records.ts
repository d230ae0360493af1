import { assert } from '../../base/assert.ts'
import { logIndex, type GroupId, type LogIndex, type Term } from '../../base/brand.ts'
import { EntryEncoder } from '../../codec/entry/entry-encoder.ts'
import { recordIndex, recordKind, recordLease, recordLength, recordNow } from '../../codec/entry/record.ts'
import type { EntryKind } from '../../codec/entry/entry.ts'
import type { CreatedKind, Effect, PersistRun } from '../../raft/types.ts'
import type { LogClock } from './log-clock.ts'
import { type Proposal, type Proposals, recordBytesOf } from './proposals.ts'

type Persist = Extract<Effect, { kind: 'persist' }>

const CREATED: { readonly [kind in CreatedKind]: EntryKind } = {
  noop: 'Noop',
  configuration: 'Configuration',
  limits: 'Limits',
  advanceVersion: 'AdvanceVersion',
}

const NO_RECORDS = new Uint8Array(0)

/** What went into one step and is not seen by the core: the persist effect that comes of it refers to these bytes. */
export interface StepInput {
  /** The batch given to the `propose` event, in order. */
  readonly proposed: readonly Proposal[]
  /** Records of the AppendEntries received. */
  readonly received: Uint8Array
  /** Configurations are among them. */
  readonly configurations: boolean
}

/** A step that neither proposed nor received records. */
export const NO_INPUT: StepInput = { proposed: [], received: NO_RECORDS, configurations: false }

export interface RecordsPorts {
  readonly group: GroupId
  readonly clock: LogClock
  readonly proposals: Proposals
  stamp(): { lease: number; now: number }
  /** Of the last entry, which a leader's own entries follow. */
  chainAt(index: LogIndex): number | null
  createdPayload(kind: CreatedKind, index: LogIndex): Uint8Array
}

/** The record bytes of one write: encoded here once, or the very bytes that were received (storage.md §2). */
export interface WriteRecords {
  readonly records: Uint8Array
  readonly firstIndex: LogIndex
  readonly count: number
  /** A SkipEntry is among them. */
  readonly skips: boolean
}

/** The records that a persist effect names: encoded from the step's proposals, or taken from what it received. */
export function recordsOf(effect: Persist, input: StepInput, ports: RecordsPorts): WriteRecords {
  const first = effect.entries[0]
  const last = effect.entries[effect.entries.length - 1]
  if (first === undefined || last === undefined)
    return { records: NO_RECORDS, firstIndex: logIndex(0), count: 0, skips: false }
  const count = last.last - first.first + 1
  if (first.source.kind === 'received') {
    return { ...receivedFrom(input.received, first.first, ports.clock), firstIndex: first.first, count }
  }
  // PERF: a leader proposes one by itself alone.
  const skips = input.proposed[0]?.kind === 'SkipEntry'
  return { records: encode(effect.entries, input, ports), firstIndex: first.first, count, skips }
}

/**
 * The received records from an index on; a follower's log clocks are those of the last entry it holds. PERF: a walk of plain
 * reads over records that this turn has verified.
 */
function receivedFrom(received: Uint8Array, index: LogIndex, clock: LogClock): Pick<WriteRecords, 'records' | 'skips'> {
  let start = received.length
  let last = 0
  let skips = false
  for (let offset = 0; offset < received.length; offset += recordLength(received, offset)) {
    if (recordIndex(received, offset) === index) start = offset
    if (recordKind(received, offset) === 'SkipEntry') skips = true
    last = offset
  }
  assert(start < received.length, 'the core persists entries that the message carried', { index })
  clock.adopt(recordLease(received, last), recordNow(received, last))
  return { records: received.subarray(start), skips }
}

function encode(runs: readonly PersistRun[], input: StepInput, ports: RecordsPorts): Uint8Array {
  const { lease, now } = ports.stamp()
  const encoder = new EntryEncoder()
  const previous = logIndex((runs[0]?.first ?? 1) - 1)
  const known = ports.chainAt(previous)
  assert(known !== null, 'a log knows the chain value of its last entry', { index: previous })
  let chain = known
  const append = (kind: EntryKind, at: { index: number; term: Term }, payload: Uint8Array): void => {
    const index = logIndex(at.index)
    chain = encoder.append({
      kind,
      group: ports.group,
      index,
      term: at.term,
      lease,
      now,
      previousChain: chain,
      payload,
    })
  }
  encoder.reserve(recordBytesOf(input.proposed))
  let next = 0
  for (const run of runs) {
    for (let index: number = run.first; index <= run.last; index += 1) {
      if (run.source.kind === 'created') {
        const { entryKind } = run.source
        append(CREATED[entryKind], { index, term: run.term }, ports.createdPayload(entryKind, logIndex(index)))
        continue
      }
      const proposal = input.proposed[next]
      assert(proposal !== undefined, 'the core appends no more entries than were proposed', { index, next })
      next += 1
      append(proposal.kind, { index, term: run.term }, ports.proposals.payload(proposal))
    }
  }
  return encoder.finish()
}
