import type { StorageFault } from '../../node/ports/storage-fault.ts'
import type { DiskError } from './disk.ts'

/** The fault that a failed disk operation is to the node (storage.md §5): never retried, the node stops. */
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
    case 'ELOCKED':
      return { code: 'LOCKED', message: error.message }
    default:
      return {
        code: 'IO_ERROR',
        message: `The disk reports an error: ${what} Check the disk and the system log, then start the node again; the log is verified at start.`,
      }
  }
}

/** Damage that only losing acknowledged bytes can explain (storage.md §3). The directory is left as it is. */
export function logRot(path: string, offset: number, what: string): StorageFault {
  return {
    code: 'LOG_ROT',
    message:
      `The log is damaged: ${path}, offset ${offset}: ${what} Nothing was changed. In a cluster, stop this node and restore it ` +
      `from its peers with an empty data directory under a new node id; on a single node run "holdfast doctor --data DIR", ` +
      `which says what can be saved.`,
  }
}

/** Damage inside the snapshot, with the ways out. Nothing was changed. */
export function snapshotRot(directory: string, what: string): StorageFault {
  return {
    code: 'SNAPSHOT_ROT',
    message:
      `The snapshot is damaged: ${directory}: ${what} Nothing was changed. In a cluster, stop this node and restore it from ` +
      `its peers with an empty data directory under a new node id; on a single node restore the newest backup with ` +
      `"holdfast restore FILE --data DIR".`,
  }
}
