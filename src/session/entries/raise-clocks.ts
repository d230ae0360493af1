import { assert } from '../../base/assert.ts'
import type { Millis } from '../../base/brand.ts'
import type { Entry } from '../../codec/entry/entry.ts'
import { foldIndex, foldKind } from '../state/fold.ts'
import type { ReplicatedState } from '../state/replicated-state.ts'

/**
 * What every entry begins with (sessions.md §1, §8): its index and its leader time. Returns the log's `now` up to which
 * timers are due before the entry itself; `passTo` lets it come.
 */
export function raiseClocks(state: ReplicatedState, { index, lease, now }: Entry): Millis {
  assert(index === state.index + 1, 'entries are applied in order, each once', { index, applied: state.index })
  state.index = index
  state.lease = Math.max(state.lease, lease)
  foldIndex(state)
  return Math.max(state.now, now)
}

/** Once timers have fired: it is `now`, and rows whose time has passed go, a bounded number of each family. */
export function passTo(state: ReplicatedState, { kind }: Entry, now: Millis): void {
  const { tombstones, once, tasks, deadLetters, principals, waits } = state
  state.now = now
  tombstones.sweep(now)
  once.sweep(now)
  tasks.sweep(now)
  deadLetters.sweep(now)
  waits.sweep(now)
  principals.sweep(now, now + state.limits.retentionMs)
  foldKind(state, kind)
}
