import type { Rows } from './row.ts'

/** Faults that end a node, and a directory that cannot be opened. The quorum lives without the node. */
export const STORAGE_ERRORS: Rows = {
  IO_ERROR: [
    'INTERNAL',
    false,
    'The disk reports an error; the node stopped, so that nothing is acknowledged which is not stored.',
    "Check the disk and the system's log, then start the node again.",
  ],
  DISK_FULL: [
    'RESOURCE_EXHAUSTED',
    false,
    'The disk or its quota is full.',
    'Make room and start the node again: it goes on where it was.',
  ],
  LOG_ROT: [
    'DATA_LOSS',
    false,
    'A stored log entry cannot be read back, and it may have been acknowledged.',
    'Start the node again: in a cluster it repairs itself from the others. A single node needs a copy of its directory.',
  ],
  SNAPSHOT_ROT: [
    'DATA_LOSS',
    false,
    'The stored state cannot be read back.',
    'Start the node again: in a cluster it takes a snapshot of another. A single node needs a copy of its directory.',
  ],
  BACKUP_DAMAGED: [
    'DATA_LOSS',
    false,
    'A backup is cut off, or holds other bytes than were written; the message says where.',
    'Take another copy of it, or another backup: nothing of this one can be relied on.',
  ],
  NOT_IN_BACKUP: [
    'OUT_OF_RANGE',
    false,
    'The backup does not hold what leads to the entry or time that was asked for.',
    'Name another point, or with `--base` the backup that this one was made since; `holdfast backup inspect` says what each holds.',
  ],
  OTHER_HISTORY: [
    'FAILED_PRECONDITION',
    false,
    'The node does not continue what the backup named with `--since` holds: it is of another cluster, or of one restored since.',
    'Make a whole backup, without `--since`.',
  ],
  INCARNATION_REFUSED: [
    'INVALID_ARGUMENT',
    false,
    'The incarnation that was named is not that of a restore of the last 15 minutes.',
    'Take the command that the first restore printed for the other members. A member that was lost later comes back with `holdfast member replace`.',
  ],
  QUORUM_NOT_LOST: [
    'FAILED_PRECONDITION',
    false,
    'The node that is to be kept is the only voter of its cluster: it needs nobody else to go on.',
    'Start it as it is.',
  ],
  NOT_A_MEMBER: [
    'INVALID_ARGUMENT',
    false,
    'The node that a directory is made for is none of the members that were named.',
    'Name it with `--id` and its address in `--peers`, the same list for every member.',
  ],
  LOCKED: [
    'FAILED_PRECONDITION',
    false,
    'Another process uses the data directory.',
    'Stop it, or give this node a directory of its own.',
  ],
  WRONG_NODE: [
    'FAILED_PRECONDITION',
    false,
    'The data directory belongs to another node.',
    "Give each node its own directory, and this one the id that is the directory's.",
  ],
  WRONG_CLUSTER: [
    'FAILED_PRECONDITION',
    false,
    'The data directory belongs to another cluster.',
    'Check `--data` and `--peers`.',
  ],
  WRONG_MODE: [
    'FAILED_PRECONDITION',
    false,
    'The data directory was made in development mode and the node is started without it, or the other way round.',
    'Start it as the directory was made, or name another directory: in development machines reject what they accept otherwise.',
  ],
  NEWER_FORMAT: [
    'FAILED_PRECONDITION',
    false,
    'A newer version has written the data directory.',
    'Start that version.',
  ],
  UNWRITABLE: [
    'PERMISSION_DENIED',
    false,
    'The data directory cannot be written.',
    'Check that it exists, its owner and rights, and that the file system is not read-only.',
  ],
  SHUTDOWN: ['UNAVAILABLE', true, 'The node was closed by its own process.', 'Connect to another node.'],
}
