import type { Millis } from '../../base/brand.ts'
import type { SessionRecord } from './session-record.ts'
import type { SessionOverview } from '../state-machine.ts'

/** What an operator may see of a session: neither its secret nor what its requests carry. `dueAt`: when it expires, `lease`. */
export function sessionOverview({ row, responses, outbox, leases }: SessionRecord, dueAt: Millis): SessionOverview {
  return {
    info: row.info,
    index: row.index,
    epoch: row.epoch,
    ordered: row.terms.ordered,
    timeoutMs: row.terms.timeoutMs,
    dueAt,
    floor: row.floor,
    highest: row.highest,
    cached: responses.length,
    cachedBytes: row.cachedBytes,
    waiting: outbox.length,
    waitingBytes: row.outboxBytes,
    lastServerRequestId: row.lastId,
    acknowledged: row.acknowledged,
    leases,
  }
}
