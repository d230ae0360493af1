import { randomBytes } from 'node:crypto'
import type { StorageFault } from '../../node/ports/storage-fault.ts'
import type { Disk, DiskError, DiskLock } from '../disk/disk.ts'
import { faultOf, logRot } from '../disk/faults.ts'
import {
  DIRECTORY_FORMAT,
  IDENTITY_FILE,
  LOCK_FILE,
  checkIdentity,
  decodeIdentity,
  encodeIdentity,
} from './identity-file.ts'
import type { DirectoryIdentity, ExpectedIdentity } from './identity-file.ts'
import { inOrder } from '../disk/in-order.ts'
import { groupDirectory, logDirectory, parseSegmentName } from '../format/file-names.ts'
import { NodeDisk } from '../disk/node-disk.ts'
import { replaceFile } from '../disk/replace-file.ts'

/**
 * What a directory may hold and still count as empty: a fresh file system's own, and what an interrupted start has left
 * (storage.md §1.2).
 */
const HARMLESS = /^(lost\+found|LOCK(\.[\w-]+)?|HOLDFAST\.json\.new)$/

export interface OpenDataDirectoryOptions {
  /** Path of the directory. */
  readonly path: string
  readonly expected: ExpectedIdentity
  /** Makes the directory's identity when it is empty or missing; null: refuse such a directory. */
  readonly create: {
    readonly clusterId: string
    readonly groups: readonly number[]
    readonly wallMs: number
    readonly incarnation?: number
  } | null
  /** Default: real files below `path`. */
  readonly disk?: Disk
}

/** A data directory that this process holds alone. */
export interface DataDirectory {
  readonly disk: Disk
  readonly identity: DirectoryIdentity
  /** True when this open made it. */
  readonly fresh: boolean
  /**
   * Records, durably, that the logs of all groups exist, before a node votes or writes on them: a directory that holds
   * none from then on has lost it, and is refused (LOG_ROT; storage.md §1.4). Nothing when it was recorded before.
   */
  markStarted(done: (fault: StorageFault | null) => void): void
  /**
   * Gives the directory to another cluster, durably; `identity` says so from then on. Only for one on which no node has ever
   * taken part in a cluster.
   */
  adoptCluster(clusterId: string, done: (fault: StorageFault | null) => void): void
  /** Lets the next process in. Call it last, once every store is closed. */
  release(done: () => void): void
}

/** Called once, with a fault or with the directory. */
export type OpenDataDirectoryDone = (fault: StorageFault | null, directory: DataDirectory | null) => void

/**
 * Takes the data directory for this process: locked, of the expected node and cluster, of a format that this build reads
 * (storage.md §1.1). Every refusal says what to do next and has changed nothing: LOCKED, WRONG_CLUSTER, WRONG_NODE,
 * WRONG_MODE, NEWER_FORMAT, LOG_ROT, UNWRITABLE, DISK_FULL, IO_ERROR.
 */
export function openDataDirectory(options: OpenDataDirectoryOptions, done: OpenDataDirectoryDone): void {
  const disk = options.disk ?? new NodeDisk(options.path)
  if (options.create !== null)
    return disk.makeDirectory('', (made) => (made.ok ? take(disk, options, done) : refuseWith(made.error)))
  disk.readFile(IDENTITY_FILE, (read) => {
    if (!read.ok) return refuseWith(read.error)
    if (read.value === null) return done(missing(options.path), null)
    take(disk, options, done)
  })

  function refuseWith(error: DiskError): void {
    done(withPath(faultOf(error), options.path), null)
  }
}

function take(disk: Disk, options: OpenDataDirectoryOptions, done: OpenDataDirectoryDone): void {
  disk.lock(LOCK_FILE, (locked) => {
    if (!locked.ok) return done(withPath(faultOf(locked.error), options.path), null)
    const lock = locked.value
    const refuse = (fault: StorageFault): void => lock.release(() => done(withPath(fault, options.path), null))
    readOrMake(disk, options, (fault, found) => {
      if (fault !== null || found === null) return refuse(fault ?? missing(options.path))
      let { identity } = found
      done(null, {
        disk,
        fresh: found.fresh,
        get identity() {
          return identity
        },
        markStarted: (marked) => markStarted(disk, identity, marked),
        adoptCluster: (clusterId, adopted) => {
          const next = { ...identity, clusterId }
          replaceFile(disk, { directory: '', name: IDENTITY_FILE, bytes: encodeIdentity(next) }, (failed) => {
            if (failed === null) identity = next
            adopted(failed)
          })
        },
        release: (released) => releaseLock(lock, released),
      })
    })
  })
}

type Found = { readonly identity: DirectoryIdentity; readonly fresh: boolean }

function readOrMake(
  disk: Disk,
  options: OpenDataDirectoryOptions,
  done: (fault: StorageFault | null, found: Found | null) => void,
): void {
  const shown = `${options.path}/${IDENTITY_FILE}`
  disk.readFile(IDENTITY_FILE, (read) => {
    if (!read.ok) return done(faultOf(read.error), null)
    if (read.value === null) return make(disk, options, done)
    const identity = decodeIdentity(read.value, shown)
    if ('code' in identity) return done(identity, null)
    const refused = checkIdentity(identity, options.expected, shown)
    if (refused !== null) return done(refused, null)
    checkLogs(disk, { identity, path: options.path }, (fault) =>
      done(fault, fault === null ? { identity, fresh: false } : null),
    )
  })
}

/**
 * A node that forgot its votes must not run under its old instance id: it would vote twice. So where one was started, every
 * group has a log with at least one segment (storage.md §1.4).
 */
function checkLogs(
  disk: Disk,
  found: { readonly identity: DirectoryIdentity; readonly path: string },
  done: (fault: StorageFault | null) => void,
): void {
  const { identity, path } = found
  if (!identity.started) return done(null)
  let fault: StorageFault | null = null
  const check = (group: number, next: () => void): void => {
    const log = logDirectory(groupDirectory(group))
    disk.list(log, (names) => {
      if (!names.ok) fault ??= faultOf(names.error)
      else if (!names.value.some((name) => parseSegmentName(name) !== null)) {
        fault ??= logRot(`${path}/${log}`, 0, 'It holds no segment, though this node was started on it before.')
      }
      next()
    })
  }
  inOrder(identity.groups, check, () => done(fault))
}

function markStarted(disk: Disk, identity: DirectoryIdentity, done: (fault: StorageFault | null) => void): void {
  if (identity.started) return done(null)
  const bytes = encodeIdentity({ ...identity, started: true })
  replaceFile(disk, { directory: '', name: IDENTITY_FILE, bytes }, done)
}

function make(
  disk: Disk,
  options: OpenDataDirectoryOptions,
  done: (fault: StorageFault | null, found: Found | null) => void,
): void {
  const { create, expected } = options
  if (create === null) return done(missing(options.path), null)
  disk.list('', (names) => {
    if (!names.ok) return done(faultOf(names.error), null)
    const foreign = names.value.find((name) => !HARMLESS.test(name))
    if (foreign !== undefined) return done(notEmpty(options.path, foreign), null)
    const identity: DirectoryIdentity = {
      format: DIRECTORY_FORMAT,
      clusterId: create.clusterId,
      nodeId: expected.nodeId,
      instanceId: randomBytes(16).toString('hex'),
      incarnation: create.incarnation ?? 0,
      created: new Date(create.wallMs).toISOString(),
      groups: create.groups,
      started: false,
      development: expected.development,
    }
    const file = { directory: '', name: IDENTITY_FILE, bytes: encodeIdentity(identity) }
    replaceFile(disk, file, (fault) => done(fault, fault === null ? { identity, fresh: true } : null))
  })
}

function missing(path: string): StorageFault {
  return {
    code: 'IO_ERROR',
    message: `${path} is no data directory of Holdfast: it has no ${IDENTITY_FILE}. Check the path given with --data; "holdfast start" makes a new one of an empty directory.`,
  }
}

function notEmpty(path: string, name: string): StorageFault {
  return {
    code: 'UNWRITABLE',
    message: `${path} is not empty (it holds "${name}") and has no ${IDENTITY_FILE}: it is not Holdfast's. Nothing was changed. Name an empty or a new directory with --data.`,
  }
}

/** A fault of the directory names it as the user did. */
function withPath(fault: StorageFault, path: string): StorageFault {
  return fault.message.includes(path) ? fault : { ...fault, message: `${path}: ${fault.message}` }
}

function releaseLock(lock: DiskLock, done: () => void): void {
  // A lock file that cannot be removed is taken over by the next start: its process is dead then.
  lock.release(() => done())
}
