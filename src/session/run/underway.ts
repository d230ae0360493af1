import type { Entry } from '../../codec/entry/entry.ts'
import type { Millis } from '../../base/brand.ts'
import type { RunningHash } from '../../codec/value/running-hash.ts'
import type { Applied, EntryUnderway } from '../state-machine.ts'
import { EngineError, isEngineError } from './engine-error.ts'
import { ENTRY_PART } from '../skipped-parts.ts'
import { ApplyHalt } from './halt.ts'

/** How far the log is applied, as everybody sees it. */
export interface Position {
  readonly index: number
  readonly now: Millis
  readonly hash: RunningHash
}

/** All steps of an entry at once. */
export function toTheEnd(underway: EntryUnderway): Applied {
  for (;;) {
    const applied = underway.step()
    if (applied !== null) return applied
  }
}

/** Why nothing more is applied after this error, or null for one that is a bug. */
export function stopOf(error: unknown, entry: Entry): EngineError | ApplyHalt | null {
  if (error instanceof ApplyHalt || error instanceof EngineError) return error
  return isEngineError(error) ? new EngineError(entry.index, ENTRY_PART, error) : null
}
