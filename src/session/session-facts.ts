import type { ClientSession } from './client-session.ts'
import type { SessionFacts } from './types.ts'

/** The row as the leader and the status page want it. */
export function sessionFacts(session: ClientSession): SessionFacts {
  const { row } = session
  return {
    info: row.info,
    epoch: row.epoch,
    secretHash: Uint8Array.from(row.secret, (unit) => unit.charCodeAt(0)),
    floor: row.floor,
    highest: row.highest,
    acknowledged: row.acknowledged,
    lastServerRequestId: row.lastId,
    timeoutMs: row.timeoutMs,
    renewedLease: row.renewedLease,
    renewedAtIndex: row.renewedAtIndex,
    ordered: row.ordered,
  }
}
