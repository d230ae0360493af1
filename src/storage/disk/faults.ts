import type { StorageFault } from '../../node/ports/storage-fault.ts'
import type { DiskError } from './disk.ts'

/**
 * The fault that a failed disk operation is to the node: DISK_FULL, UNWRITABLE, LOCKED, else IO_ERROR. Never retried, the
 * node stops (storage.md §5).
 */
export function faultOf(error: DiskError): StorageFault {
  const what = `${error.operation} of ${error.path} failed: ${error.message} (${error.code}).`
  switch (error.code) {
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return {
        code: 'DISK_FULL',
        message: `The disk is full: ${what} Free space on it, then start the node again; nothing acknowledged is lost.`,
      }
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
    case 'ENOTDIR':
    case 'EISDIR':
    case 'EEXIST':
      return {
        code: 'UNWRITABLE',
        message: `The data directory cannot be used: ${what} Give the user of this process write permission, or name another directory with --data.`,
      }
    case 'EMFILE':
    case 'ENFILE':
      return {
        code: 'IO_ERROR',
        message: `There are too few file descriptors, the disk is well: ${what} Raise the limit of open files (ulimit -n, LimitNOFILE), then start the node again.`,
      }
    case 'ELOCKED':
      return { code: 'LOCKED', message: error.message }
    default:
      return {
        code: 'IO_ERROR',
        message: `The disk reports an error: ${what} Check the disk and the system log, then start the node again; the log is verified at start.`,
      }
  }
}

/**
 * LOG_ROT: damage of the log that no torn write explains (storage.md §3.3, §3.5). The directory is left as it is. `offset` is
 * in bytes, in the file at `path`; `what` is a sentence.
 */
export function logRot(path: string, offset: number, what: string): StorageFault {
  return {
    code: 'LOG_ROT',
    message:
      `The log is damaged: ${path}, offset ${offset}: ${what} Nothing was changed. In a cluster, stop this node and restore it ` +
      `from its peers with an empty data directory under a new node id; on a single node run "holdfast doctor --data DIR", ` +
      `which says what can be saved.`,
  }
}

/** SNAPSHOT_ROT: damage of the snapshot in `directory` (storage.md §3.8), which is left as it is. `what` is a sentence. */
export function snapshotRot(directory: string, what: string): StorageFault {
  return {
    code: 'SNAPSHOT_ROT',
    message:
      `The snapshot is damaged: ${directory}: ${what} Nothing was changed. In a cluster, stop this node and restore it from ` +
      `its peers with an empty data directory under a new node id; on a single node restore the newest backup with ` +
      `"holdfast restore FILE --data DIR".`,
  }
}
