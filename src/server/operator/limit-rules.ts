import { MINUTE_MS, SECOND_MS } from '../../base/time.ts'
import { didYouMean } from '../../base/suggest.ts'
import { DEFAULT_LIMITS } from '../../codec/entry/default-limits.ts'
import type { Limits, LimitsRow, WaitLimits } from '../../codec/entry/payload.ts'
import { encodePayload } from '../../codec/entry/payload-codec.ts'
import { ValueError } from '../../codec/value/value-error.ts'
import { INPUT_BYTES_MAX } from '../../protocol/limits.ts'
import { WAIT_LIMITS, waitLimits } from '../../session/tables/wait-rows.ts'

/** Those of waits are a group of their own in the entry; operators see one list. */
type LimitName = Exclude<keyof Limits, 'waits'> | keyof WaitLimits

/** Every limit by its name. */
export type AllLimits = { readonly [Name in LimitName]: number }

/** All limits that hold by an entry, those of waits behind the others, in the order of the entry. */
export function allLimits(limits: Limits): AllLimits {
  const { waits: _waits, ...rest } = plain(limits)
  return { ...rest, ...waitLimits(limits) }
}

/** What a new cluster begins with. */
export const INITIAL_LIMITS = allLimits(DEFAULT_LIMITS)

/** Every limit that can be changed, in that order. */
export const LIMIT_NAMES = Object.keys(INITIAL_LIMITS) as readonly LimitName[] // `allLimits` names them all

/** Why limits are not changed; `problem` is read behind the name. */
export interface LimitProblem {
  readonly name: string
  readonly problem: string
}

/** What the protocol needs of a limit, beside what its entry can hold at all. */
interface LimitRule {
  readonly name: LimitName
  /** The limits that it speaks of beside that one. */
  readonly beside: readonly LimitName[]
  /** Null: it holds. */
  readonly problem: (limits: AllLimits) => string | null
}

const KIB = 1024
const MIB = 1024 * KIB

/** A client's open may be this late (sessions.md §4): an earlier tombstone's end would let a copy of it open once more. */
const OPEN_LATE_MAX_MS = 5 * MINUTE_MS

const RULES: readonly LimitRule[] = [
  // Room for the names, codes and details that the product itself answers with.
  atLeast('commandBytesMax', KIB),
  atLeast('responseBytesMax', KIB),
  // More fits no frame.
  atMost('commandBytesMax', INPUT_BYTES_MAX),
  atMost('responseBytesMax', INPUT_BYTES_MAX),
  // A response is only computed where the largest would be kept.
  notAbove('responseBytesMax', 'cachedBytesMax'),
  // Twenty heartbeats, and more than an election: a change of the leader expires nobody.
  atLeast('sessionTimeoutMinMs', SECOND_MS),
  notAbove('sessionTimeoutMinMs', 'sessionTimeoutMaxMs'),
  atLeast('tombstoneMs', OPEN_LATE_MAX_MS),
  // A task that waits for a worker, and a request that waits for its ack, must have had time for one round trip.
  atLeast('taskQueueMs', SECOND_MS),
  atLeast('ackTimeoutMs', SECOND_MS),
  notAbove('ackTimeoutMs', 'ackTimeoutMaxMs'),
  // Else a node writes snapshots and little more.
  atLeast('snapshotBytes', MIB),
]

/** The limits with those changes, or the first thing that is wrong with them. What was wrong before and stays so is let be. */
export function changedLimits(
  present: Limits,
  changes: readonly { readonly name: string; readonly value: number }[],
): { readonly ok: true; readonly limits: Limits } | { readonly ok: false; readonly problem: LimitProblem } {
  const limits = { ...allLimits(present) }
  const changed = new Set<LimitName>()
  for (const { name, value } of changes) {
    const known = LIMIT_NAMES.find((each) => each === name)
    if (known === undefined) return { ok: false, problem: { name, problem: unknownLimit(name) } }
    if (changed.has(known)) return { ok: false, problem: { name, problem: 'is named twice' } }
    changed.add(known)
    limits[known] = value
    const wrong = unfit(entryOf(limits))
    if (wrong !== null) return { ok: false, problem: { name, problem: wrong } }
  }
  for (const { name, beside, problem } of RULES) {
    if (![name, ...beside].some((each) => changed.has(each))) continue
    const wrong = problem(limits)
    if (wrong !== null) return { ok: false, problem: { name, problem: wrong } }
  }
  const ofWaits = present.waits !== undefined || WAIT_NAMES.some((name) => changed.has(name))
  const { waits, ...rest } = entryOf(limits)
  return { ok: true, limits: ofWaits ? { ...rest, waits } : rest }
}

/** The limits alone, without what the row says beside them. */
function plain(present: Limits): Limits {
  const { changedAt: _changedAt, ...limits }: LimitsRow = present
  return limits
}

const WAIT_NAMES = Object.keys(WAIT_LIMITS) as readonly (keyof WaitLimits)[] // its type has no others

/** The limits as an entry groups them that says something of waits. */
function entryOf(all: AllLimits): Limits & { readonly waits: WaitLimits } {
  const { waitersPerKeyMax, waitersPerSessionMax, signalsPerKeyMax, signalRetentionMaxMs, ...rest } = all
  return { ...rest, waits: { waitersPerKeyMax, waitersPerSessionMax, signalsPerKeyMax, signalRetentionMaxMs } }
}

/** What the entry cannot hold. */
function unfit(limits: Limits): string | null {
  try {
    encodePayload('Limits', limits)
    return null
  } catch (error) {
    if (error instanceof ValueError) return `cannot be used: ${error.message}`
    throw error
  }
}

function unknownLimit(name: string): string {
  const meant = didYouMean(name, LIMIT_NAMES)
  return `is unknown${meant === null ? '' : `; did you mean ${meant}?`}`
}

function atLeast(name: LimitName, least: number): LimitRule {
  return { name, beside: [], problem: (limits) => (limits[name] < least ? `must be at least ${least}` : null) }
}

function atMost(name: LimitName, most: number): LimitRule {
  return { name, beside: [], problem: (limits) => (limits[name] > most ? `must be at most ${most}` : null) }
}

function notAbove(name: LimitName, other: LimitName): LimitRule {
  return {
    name,
    beside: [other],
    problem: (limits) => (limits[name] > limits[other] ? `must not be above ${other}, ${limits[other]}` : null),
  }
}
