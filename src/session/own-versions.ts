import type { EntryKind } from '../codec/entry/entry.ts'
import type { BuildMachine } from './user-machine.ts'

/** The name under which the log knows session layer, kit and codec; no user machine can have it. */
export const OWN_MACHINE_NAME = 'holdfast'

/**
 * The versions of it that this build has (docs/decisions/own-versions.md). A log that names none is at version 1. What a
 * version adds is proposed by no leader before the log has switched to it, and older builds can apply all of what there was
 * before.
 *
 *   2   EvictSession, MoveDeadLetters, SkipEntry; changes of Limits (`basedOn`, `waits`)
 *   3   what a hook, timer or migration does that returns a rejection is taken back; moved dead letters are remembered;
 *       operators' changes of schedules
 *   4   tasks that wait are given out wherever there is room
 *   5   a transaction that takes away a bare key which is not there fails as a whole; what a machine says of tasks and
 *       retentions is refused where no row could hold it; occurrences of schedules are owed over a pause;
 *       a run that is rejected keeps its records; promises of afterReject and of bare hooks are refused by the kit
 *   6   ForgetSubject
 */
export const OWN_MACHINE: BuildMachine = {
  name: OWN_MACHINE_NAME,
  versions: [
    { version: 1, schema: '', code: '' },
    { version: 2, schema: '', code: '' },
    { version: 3, schema: '', code: '' },
    { version: 4, schema: '', code: '' },
    { version: 5, schema: '', code: '' },
    { version: 6, schema: '', code: '' },
  ],
}

/** Since which version a leader may propose a kind; absent: since the first. */
export const KIND_SINCE: { readonly [kind in EntryKind]?: number } = {
  EvictSession: 2,
  MoveDeadLetters: 2,
  SkipEntry: 2,
  ForgetSubject: 6,
}

/** Since which version a leader may propose a change of the limits, and a step of a schedule that an operator wants. */
export const LIMITS_CHANGE_SINCE = 2
export const SCHEDULE_CHANGE_SINCE = 3

/** Since which version an operator may end an open run. */
export const RUN_END_SINCE = 5

/** Since which version what such a function did that returns a rejection is taken back, and MoveDeadLetters remembers. */
export const REJECTED_HOOKS_SINCE = 3
export const MOVED_LETTERS_SINCE = 3

/** Since which version tasks that wait follow dead letters, raised limits and leases of other roles. */
export const TASKS_FOLLOW_ROOM_SINCE = 4

/** Since which version a commit that cannot be carried out to its end changes nothing. */
export const WHOLE_COMMITS_SINCE = 5

/** Since which version the machine of a task is a text, and no sum of a duration with a clock is larger than rows can hold. */
export const STORABLE_ROWS_SINCE = 5

/** Since which version what a schedule owes as it is paused, or given another expression, is not passed over. */
export const OWED_OCCURRENCES_SINCE = 5

/**
 * Since which version a run of a schedule that returns a rejection keeps what it recorded and is recorded itself, and the kit
 * passes on what bare machines and `afterReject` return, so that a promise is refused.
 */
export const REJECTED_RUNS_SINCE = 5
export const RETURNED_PROMISES_SINCE = 5
