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

/** One that the state remembers. `told`: the SkipEntry that names it is applied; another one may name it again. */
export interface RememberedPart extends SkippedPart {
  readonly told: boolean
}

/**
 * Of those that are told the state remembers so many, the newest. All others stay: any number of entries may have to be skipped
 * before the first SkipEntry can be applied.
 */
export const TOLD_KEPT = 64

/** The SkipEntry that names `skip` is applied: what is remembered from then on. */
export function withTold(parts: readonly RememberedPart[], skip: SkippedPart): readonly RememberedPart[] {
  const marked = parts.map((each) => (isSame(each, skip) ? { ...each, told: true } : each))
  let surplus = marked.filter(({ told }) => told).length - TOLD_KEPT
  return marked.filter(({ told }) => {
    if (!told || surplus <= 0) return true
    surplus -= 1
    return false
  })
}

export function isSame(one: SkippedPart, other: SkippedPart): boolean {
  return one.index === other.index && one.part === other.part
}

/** Longest name of a part, UTF-16 units; what is longer is cut, at the same place on every replica. */
const PART_CHARS_MAX = 240

/** The name of any other function that an entry runs, `timer shop/close/k@3`: what it is, and the how manieth call. */
export function partOf(label: string, call: number): string {
  return `${label.slice(0, PART_CHARS_MAX)}@${call}`
}
