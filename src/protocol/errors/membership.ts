import type { Rows } from './row.ts'

/** Why a change of the members is not made (raft.md §1, Membership). Nothing was appended. */
export const MEMBERSHIP_ERRORS: Rows = {
  NOT_READY: [
    'UNAVAILABLE',
    true,
    'The leader has just been elected and has not committed an entry of its term yet, or it is handing leadership over, or its disk hangs.',
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
  MEMBER_UNKNOWN: [
    'NOT_FOUND',
    false,
    'No member has this id, or it is a learner where a voter is meant.',
    'Take one of those that `holdfast member list` shows.',
  ],
  MEMBER_EXISTS: [
    'ALREADY_EXISTS',
    false,
    'A member has this id already, as a voter or a learner.',
    'A learner is made a voter by `holdfast member promote`; a lost disk is replaced by `holdfast member replace`.',
  ],
  MEMBER_ALIVE: [
    'FAILED_PRECONDITION',
    true,
    "The voter's own disk still answers, or is that of the leader: nothing is to be replaced.",
    'Stop that node and start it with an empty data directory, then send the same again; or remove it.',
  ],
  NOT_WAITING: [
    'FAILED_PRECONDITION',
    true,
    'No node with an empty disk has asked the leader to join under this id within the last seconds.',
    'Start it with `holdfast join --id ID --peers ANY_MEMBER --data DIR`, wait until `holdfast member list` shows it, and send the same again.',
  ],
  LAST_VOTER: [
    'FAILED_PRECONDITION',
    false,
    'The only voter cannot be removed or replaced: nobody else holds the log.',
    'Add another node first, and wait until it is a voter.',
  ],
  TOO_MANY_MEMBERS: ['FAILED_PRECONDITION', false, 'A cluster has at most 64 members.', 'Remove one first.'],
}
