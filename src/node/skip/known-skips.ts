import { type LogIndex, logIndex } from '../../base/brand.ts'
import { forEachOffset } from '../../codec/entry/batch.ts'
import { decodePayload } from '../../codec/entry/payload-codec.ts'
import { payloadAt, recordIndex, recordKind } from '../../codec/entry/record.ts'
import { ValueError } from '../../codec/value/value-error.ts'
import { NONE_SKIPPED, type SkippedPart, type SkippedParts } from '../../session/skipped-parts.ts'
import type { FoundSkip } from '../ports/log-store.ts'

/** A SkipEntry of the log, at `at`: the part of the entry at `index` that it names. */
interface KnownSkip extends SkippedPart {
  readonly at: LogIndex
}

/**
 * The SkipEntry entries of this node's log, committed or not; rolled back with it. An entry is applied as they say that stand
 * behind it: the node looks ahead (docs/decisions/skipping-an-entry.md). PERF: one comparison for a log that has none.
 */
export class KnownSkips {
  private known: readonly KnownSkip[]
  private readonly commitIndex: () => LogIndex

  /** `found`: those of the log as it was opened. */
  constructor(found: readonly FoundSkip[], commitIndex: () => LogIndex) {
    this.known = found.flatMap(({ index, payload }) => skipAt(index, payload))
    this.commitIndex = commitIndex
  }

  /** Parts of that entry that are not run, in the order of the entries that say so: committed ones. */
  partsOf(index: number): SkippedParts {
    if (this.known.length === 0) return NONE_SKIPPED
    const commitIndex = this.commitIndex()
    const parts = this.of(index).flatMap(({ at, part }) => (at <= commitIndex ? [part] : []))
    return parts.length === 0 ? NONE_SKIPPED : [...new Set(parts)]
  }

  /** Whether a SkipEntry of that entry is in the log and not known to be committed: until then it is not applied. */
  isOpen(index: number): boolean {
    return this.known.length > 0 && this.of(index).some(({ at }) => at > this.commitIndex())
  }

  /** Where the log says that this part is skipped, committed or not; null: nowhere. */
  whereSkipped({ index, part }: SkippedPart): LogIndex | null {
    return this.of(index).find((skip) => skip.part === part)?.at ?? null
  }

  /** The entry that the SkipEntry at that index names; null: there is none. */
  namedBy(at: number): number | null {
    return this.known.find((skip) => skip.at === at)?.index ?? null
  }

  /** Whether what was noted of the state at that index may have been made before a skip was known. */
  doubts(index: number): boolean {
    return this.known.some((skip) => index >= skip.index && index < skip.at)
  }

  /** Remembers those among records that go to the log. */
  learn(records: Uint8Array): void {
    forEachOffset(records, (offset) => {
      if (recordKind(records, offset) !== 'SkipEntry') return
      this.known = [...this.known, ...skipAt(recordIndex(records, offset), payloadAt(records, offset))]
    })
  }

  truncateFrom(index: LogIndex): void {
    if (this.known.length > 0) this.known = this.known.filter(({ at }) => at < index)
  }

  private of(index: number): readonly KnownSkip[] {
    return this.known.filter((skip) => skip.index === index && skip.at > index)
  }
}

/** Nothing for a payload that does not decode, which apply answers. */
function skipAt(at: number, payload: Uint8Array): readonly KnownSkip[] {
  try {
    const { index, part } = decodePayload('SkipEntry', payload)
    return [{ at: logIndex(at), index, part }]
  } catch (error) {
    if (error instanceof ValueError) return []
    throw error
  }
}
