import type { StorageFault } from '../../node/ports/storage-fault.ts'
import type { DiskError } from './disk.ts'

/**
 * The fault that a failed disk operation is to the node: DISK_FULL, UNWRITABLE, LOCKED, else IO_ERROR. Never retried, the
 * node stops (storage.md §5).
 */
export function faultOf(error: DiskError): StorageFault {
  // The path is relative to the data directory, which itself has the empty one.
  const where = error.path === '' ? 'the data directory' : error.path
  const what = `${error.operation} of ${where} failed: ${error.message} (${error.code}).`
  // Below /proc and the like nobody can make anything.
  if (error.code === 'ENOENT' && error.operation === 'mkdir') return unwritable(what, 'Nothing can be made there')
  switch (error.code) {
    case 'ENOSPC':
      return error.lacks === 'inodes'
        ? full('The disk has no inodes left, whatever bytes are free', what, 'Remove files on it (df -i)')
        : full('The disk is full', what, 'Free space on it')
    case 'EDQUOT':
      return full('The disk quota is used up, whatever the disk has free', what, 'Free space or raise the quota')
    case 'EFBIG':
      return full('The file may not grow any more', what, 'Raise the limit of file sizes (ulimit -f, LimitFSIZE)')
    case 'EROFS':
      return unwritable(what, 'The file system is read-only: mount it writable')
    case 'EACCES':
    case 'EPERM':
      return unwritable(what, 'Give the user of this process write permission')
    case 'ENOTSUP':
      return unwritable(
        what,
        'Its file system has no hard links, which the lock of the directory needs: use another disk',
      )
    case 'ENOTDIR':
    case 'EISDIR':
    case 'EEXIST':
    case 'ENXIO':
      return unwritable(what, 'Something that is no directory is in its place: move that away')
    case 'ENAMETOOLONG':
    case 'ELOOP':
      return unwritable(what, 'The path is none that this system can follow')
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

function full(cause: string, what: string, cure: string): StorageFault {
  return {
    code: 'DISK_FULL',
    message: `${cause}: ${what} ${cure}, then start the node again; nothing acknowledged is lost.`,
  }
}

function unwritable(what: string, cure: string): StorageFault {
  return {
    code: 'UNWRITABLE',
    message: `The data directory cannot be used: ${what} ${cure}, or name another directory with --data.`,
  }
}

/**
 * A node of a cluster repairs itself at its next start; where it cannot, an empty disk takes its place, and an
 * old copy of it would vote twice.
 */
const WITHOUT_ITS_DATA =
  'A node of a cluster repairs itself from the others when it is started again; if it does not, start it on an empty ' +
  'directory, and give its place to that with `holdfast member replace`. It must not be started on an older copy of its data. ' +
  'A single node can be started on a copy of the whole directory that was taken while it was stopped, and loses what came ' +
  'later. Keep the damaged directory for diagnosis.'

/**
 * LOG_ROT: damage of the log that no torn write explains (storage.md §3.3, §3.5). The directory is left as it is. `offset` is
 * in bytes, in the file at `path`; `what` is a sentence.
 */
export function logRot(path: string, offset: number, what: string): StorageFault {
  return {
    code: 'LOG_ROT',
    message: `The log is damaged: ${path}, offset ${offset}: ${what} Nothing was changed. ${WITHOUT_ITS_DATA}`,
  }
}

/** SNAPSHOT_ROT: damage of the snapshot in `directory` (storage.md §3.8), which is left as it is. `what` is a sentence. */
export function snapshotRot(directory: string, what: string): StorageFault {
  return {
    code: 'SNAPSHOT_ROT',
    message: `The snapshot is damaged: ${directory}: ${what} Nothing was changed. ${WITHOUT_ITS_DATA}`,
  }
}
