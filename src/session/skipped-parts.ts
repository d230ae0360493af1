/**
 * The parts of one entry that are not to be run, as the SkipEntry entries say that are committed behind it
 * (docs/decisions/skipping-an-entry.md). Names as `EngineError.part` gives them: equal on every replica.
 */
export type SkippedParts = readonly string[]

/** What nearly every entry is applied with. */
export const NONE_SKIPPED: SkippedParts = Object.freeze([])

/** The command of a ClientRequest: an entry has one at most. */
export const COMMAND_PART = 'command'

/** All that an entry does beside the functions of machines; the clocks and timers that come with it are no part of it. */
export const ENTRY_PART = 'entry'

/** A part of an entry that was skipped as that entry was applied. */
export interface SkippedPart {
  readonly index: number
  readonly part: string
}

/** Those that the state remembers, the newest: a SkipEntry comes some seconds behind the entry that it names. */
export const SKIPPED_KEPT = 64

/** Longest name of a part, UTF-16 units; what is longer is cut, at the same place on every replica. */
const PART_CHARS_MAX = 240

/** The name of any other function that an entry runs, `timer shop/close/k@3`: what it is, and the how manieth call. */
export function partOf(label: string, call: number): string {
  return `${label.slice(0, PART_CHARS_MAX)}@${call}`
}
