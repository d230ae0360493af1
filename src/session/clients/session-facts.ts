import type { SessionRecord } from './session-record.ts'
import type { SessionFacts } from '../state-machine.ts'

/** The row as the leader and the status page want it. */
export function sessionFacts(session: SessionRecord): SessionFacts {
  const { row } = session
  return {
    info: row.info,
    epoch: row.epoch,
    secretHash: bytesOf(row.secret),
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

/** PERF: every ack asks for facts, and an iteration over the characters took 3 µs. */
function bytesOf(secret: string): Uint8Array {
  const bytes = new Uint8Array(secret.length)
  for (let at = 0; at < secret.length; at += 1) bytes[at] = secret.charCodeAt(at)
  return bytes
}
