import { shownKey } from '../../codec/rows/shown-key.ts'
import { sessionCodec } from '../../codec/session-codec.ts'
import type { Value } from '../../codec/value/value.ts'
import type { DirtyRows } from '../../session/dirty-rows.ts'

/** The first row of two states that differs, and where in it. */
export interface StateDifference {
  /** As it is stored, with the parts of its key told: `user/stock/items/["chair"]`. */
  readonly key: string
  /** Members and positions from the row down, e.g. `lines.2.count`; '' is the row itself. */
  readonly path: string
  /** What stands there; undefined: nothing. */
  readonly before: Value | undefined
  readonly after: Value | undefined
}

/**
 * The first difference, by key, of two states that were equal when both began to collect what changed; rows of machines come
 * before those of the session layer. Null: they differ in no row.
 */
export function stateDifference(before: DirtyRows, after: DirtyRows): StateDifference | null {
  const left = rowsOf(before)
  const right = rowsOf(after)
  const keys = [...new Set([...left.keys(), ...right.keys()])].sort(byMachineFirst)
  for (const key of keys) {
    const found = valueDifference([], left.get(key), right.get(key))
    if (found !== null) return { key: shownKey(key), ...found }
  }
  return null
}

function rowsOf(dirty: DirtyRows): Map<string, Value | undefined> {
  return new Map([...dirty].map(({ key, value }) => [key, value]))
}

const MACHINES = 'user/'

function byMachineFirst(left: string, right: string): number {
  const own = Number(right.startsWith(MACHINES)) - Number(left.startsWith(MACHINES))
  return own !== 0 ? own : left < right ? -1 : 1
}

type Members = ReadonlyMap<string, Value>

function valueDifference(
  path: readonly string[],
  before: Value | undefined,
  after: Value | undefined,
): Omit<StateDifference, 'key'> | null {
  if (isEqual(before, after)) return null
  const left = membersOf(before)
  const right = membersOf(after)
  if (left === null || right === null) return { path: path.join('.'), before, after }
  for (const name of new Set([...left.keys(), ...right.keys()])) {
    const found = valueDifference([...path, name], left.get(name), right.get(name))
    if (found !== null) return found
  }
  return { path: path.join('.'), before, after }
}

function isEqual(before: Value | undefined, after: Value | undefined): boolean {
  if (before === undefined || after === undefined) return before === after
  const [left, right] = [sessionCodec.encodeValue(before), sessionCodec.encodeValue(after)]
  return left.length === right.length && left.every((byte, at) => byte === right[at])
}

function membersOf(value: Value | undefined): Members | null {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return null
  return new Map(Object.entries(value))
}
