import { bytesOfBinary } from '../rows/binary-string.ts'
import type { SessionRecord } from './session-record.ts'
import type { SessionFacts } from '../state-machine.ts'

/** The row as the leader and the status page want it. */
export function sessionFacts(session: SessionRecord): SessionFacts {
  const { row } = session
  return {
    info: row.info,
    epoch: row.epoch,
    secretHash: bytesOfBinary(row.secret),
    floor: row.floor,
    highest: row.highest,
    acknowledged: row.acknowledged,
    lastServerRequestId: row.lastId,
    timeoutMs: row.terms.timeoutMs,
    renewedLease: row.renewedLease,
    renewedAtIndex: row.renewedAtIndex,
    ordered: row.terms.ordered,
  }
}
