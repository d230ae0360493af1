import { dropRequests } from '../clients/outbox.ts'
import { dropResponses } from '../clients/response-cache.ts'
import type { SessionRecord } from '../clients/session-record.ts'
import { runTaskFallbacks, runWaitEnds } from '../run/hooks.ts'
import { hookCall, type MachineRunner } from '../run/machine-runner.ts'
import { releaseTasksOf } from '../run/task-assignment.ts'
import { foldEnding } from '../state/fold.ts'
import type { ReplicatedState } from '../state/replicated-state.ts'

/**
 * The end of a session, expired or closed (sessions.md §4). The hook runs once, on a session that already receives
 * nothing; what it wrote and emitted to others stays, what it throws is recorded. Then every row of the session goes,
 * a tombstone stays, its tasks are queued again, and all ends of waits are delivered, its own among them. `note`: an
 * operator's, for the tombstone; null: none has ended it.
 */
export function endSession(
  state: ReplicatedState,
  runner: MachineRunner,
  session: SessionRecord,
  reason: 'expired' | 'closed',
  note: string | null = null,
): void {
  const { info } = session.row
  foldEnding(state, session, reason)
  session.live = false
  state.sessions.remove(session)
  // Before any hook: what one of them signals is not for somebody who is gone.
  state.waits.endOwner(info.id)
  // A copy: a machine that keeps it has it frozen, and the session's own list is emptied below.
  const pending = session.outbox.slice()
  runner.runHook(hookCall('onSessionExpired', session), (context) =>
    runner.user.onSessionExpired(context, info, pending, reason),
  )
  removeRows(state, session)
  addTombstone(state, session, { reason, note })
  runTaskFallbacks(runner, releaseTasksOf(state, session))
  runWaitEnds(state, runner)
  state.listEnded(session, reason)
}

/** Everything the session holds (PC-5), by its own lists: nothing is scanned. */
function removeRows(state: ReplicatedState, session: SessionRecord): void {
  state.draft(session)
  dropResponses(state, session, session.responses.length)
  dropRequests(state, session, 0, session.outbox.length)
  session.page.end()
}

function addTombstone(
  state: ReplicatedState,
  session: SessionRecord,
  { reason, note }: { readonly reason: 'expired' | 'closed'; readonly note: string | null },
): void {
  const { index, secret, terms } = session.row
  const { now, limits } = state
  const { group, incarnation } = terms
  const row = { group, incarnation, index, secret, at: now, reason, until: now + limits.tombstoneMs }
  state.tombstones.add(note === null ? row : { ...row, note })
}
