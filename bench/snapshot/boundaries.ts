import { changeLimits, fetchLimits } from '../../src/client/operator/limits.ts'

/** Bytes of log between two snapshots beyond what a bench writes: there is none until it asks for one. */
const NEVER_BYTES = 64 * 1024 ** 3
/** Least that the limit may be. */
const LEAST_BYTES = 1024 * 1024

/** In a node's environment: no snapshot of itself, and it says which ones it has written and installed. */
export const SNAPSHOTS_ON_REQUEST = { HOLDFAST_LIMITS: `snapshotBytes=${NEVER_BYTES}`, HOLDFAST_LOG_LEVEL: 'info' }

/**
 * Has every node begin a snapshot of what changed since the one before, of which at least `sinceBytes` of log must have been
 * written: the limit falls below that and rises again.
 */
export async function beginSnapshot(endpoints: readonly string[], sinceBytes: number): Promise<void> {
  const { index } = await fetchLimits(endpoints)
  const snapshotBytes = Math.max(LEAST_BYTES, Math.floor(sinceBytes / 2))
  const lowered = await changeLimits(endpoints, { changes: { snapshotBytes }, basedOn: index })
  await changeLimits(endpoints, { changes: { snapshotBytes: NEVER_BYTES }, basedOn: lowered })
}
