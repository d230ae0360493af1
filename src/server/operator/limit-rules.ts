import { MINUTE_MS, SECOND_MS } from '../../base/time.ts'
import { didYouMean } from '../../base/suggest.ts'
import { DEFAULT_LIMITS } from '../../codec/entry/default-limits.ts'
import type { Limits, LimitsRow } from '../../codec/entry/payload.ts'
import { encodePayload } from '../../codec/entry/payload-codec.ts'
import { ValueError } from '../../codec/value/value-error.ts'
import { INPUT_BYTES_MAX } from '../../protocol/limits.ts'

/** Limits of waits are a group of their own, which is carried along as it is. */
type LimitName = Exclude<keyof Limits, 'waits'>

/** Every limit that can be changed, in the order of the entry. */
export const LIMIT_NAMES = Object.keys(DEFAULT_LIMITS) as readonly LimitName[] // those that have a default in the entry

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
  readonly problem: (limits: Limits) => string | null
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
  const limits = plain(present)
  const changed = new Set<LimitName>()
  for (const { name, value } of changes) {
    const known = LIMIT_NAMES.find((each) => each === name)
    if (known === undefined) return { ok: false, problem: { name, problem: unknownLimit(name) } }
    if (changed.has(known)) return { ok: false, problem: { name, problem: 'is named twice' } }
    changed.add(known)
    limits[known] = value
    const wrong = unfit(limits)
    if (wrong !== null) return { ok: false, problem: { name, problem: wrong } }
  }
  for (const { name, beside, problem } of RULES) {
    if (![name, ...beside].some((each) => changed.has(each))) continue
    const wrong = problem(limits)
    if (wrong !== null) return { ok: false, problem: { name, problem: wrong } }
  }
  return { ok: true, limits }
}

/** The limits alone, to be changed, without what the row says beside them. */
function plain(present: Limits): { -readonly [Name in keyof Limits]: Limits[Name] } {
  const { changedAt: _changedAt, ...limits }: LimitsRow = present
  return limits
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
