import type { Rows } from './row.ts'

/** Why leadership was not handed over. */
export const TRANSFER_ERRORS: Rows = {
  TRANSFER_UNDERWAY: [
    'ABORTED',
    true,
    'The leader is handing over to another node already.',
    'Look at `holdfast status` in a moment, and ask again if it is still wanted.',
  ],
  NOT_VOTER: [
    'INVALID_ARGUMENT',
    false,
    'The node is no voter of the cluster, or is about to leave it.',
    'Name one of the voters that `holdfast status` shows, or none: the best one is taken then.',
  ],
  TARGET_INACTIVE: [
    'UNAVAILABLE',
    true,
    'The leader has not heard from that node within an election timeout.',
    'Look at `holdfast status`: start the node, or name another one.',
  ],
  NO_TARGET: [
    'UNAVAILABLE',
    true,
    'There is no other voter that the leader has heard from within an election timeout.',
    'Look at `holdfast status` for nodes that are down.',
  ],
  TRANSFER_TIMED_OUT: [
    'DEADLINE_EXCEEDED',
    true,
    'The node was not elected within an election timeout, and the leader goes on.',
    'It may lag behind, wait for its disk, have halted, or be of a build that takes no transfer: look at `holdfast status`.',
  ],
}
