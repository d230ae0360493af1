import type { Rows } from './row.ts'

/** Why a change of the members is not made (raft.md §1, Membership). Nothing was appended. */
export const MEMBERSHIP_ERRORS: Rows = {
  NOT_READY: [
    'UNAVAILABLE',
    true,
    'The leader has just been elected and has not committed an entry of its term yet.',
    'Send the same again in a moment.',
  ],
  CHANGE_UNDERWAY: [
    'FAILED_PRECONDITION',
    true,
    'The change of the members before this one is not over.',
    'Wait until `holdfast member list` shows no joint configuration, and send the same again.',
  ],
  CHANGED_SINCE: [
    'ABORTED',
    false,
    'The members are others than those that this change was made of.',
    'Look at `holdfast member list` again, and decide anew.',
  ],
}
