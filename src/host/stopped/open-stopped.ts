import { constants, existsSync } from 'node:fs'
import { cp, mkdtemp, readFile, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative, sep } from 'node:path'
import { logOpener } from '../../assembly/log-opener.ts'
import type { History } from '../../assembly/replay/replay-history.ts'
import { groupId } from '../../base/brand.ts'
import type { BuildMachine } from '../../node/ports/peer-transport.ts'
import type { LogStore, RecoveredLog } from '../../node/ports/log-store.ts'
import type { SnapshotMeta, SnapshotStore } from '../../node/ports/snapshot-store.ts'
import type { AppliedTrail } from '../../node/ports/applied-trail.ts'
import { systemClock } from '../../node/system-clock.ts'
import { decodeIdentity, IDENTITY_FILE, LOCK_FILE } from '../../storage/directory/identity-file.ts'
import { NodeDisk } from '../../storage/disk/node-disk.ts'
import { groupDirectory } from '../../storage/format/file-names.ts'
import { openSnapshotStore } from '../../storage/snapshot/snapshot-store.ts'
import { openAppliedTrail } from '../../storage/trail/applied-trail-file.ts'
import { opened } from '../opened.ts'
import { StartError } from '../start-error.ts'
import { holderOf, isNodeFile } from './directory-files.ts'

const GROUP = groupId(0)

/** The history of a stopped node, and the machines that it noted as its own. */
export interface StoppedNode extends History {
  readonly nodeId: string
  readonly recovered: RecoveredLog
  readonly recordedBy: readonly BuildMachine[]
}

/**
 * Gives `use` what a stopped node has kept in its data directory. Its stores repair and fold what they open, so it is a copy
 * that is opened, in the system's directory for such, and removed afterwards: the directory itself is only read. Rejects with
 * StartError when a process holds it, when it is no data directory, and when it is damaged.
 */
export async function withStoppedNode<Result>(
  path: string,
  use: (node: StoppedNode) => Promise<Result>,
): Promise<Result> {
  refuseHeld(path)
  return withHeldNode(path, use)
}

/** As `withStoppedNode`, for whoever holds the directory's lock. */
export async function withHeldNode<Result>(path: string, use: (node: StoppedNode) => Promise<Result>): Promise<Result> {
  const copy = await mkdtemp(join(tmpdir(), 'holdfast-stopped-'))
  try {
    await copyFrom(path, copy)
    return await openCopy({ path, copy }, use)
  } finally {
    await rm(copy, { recursive: true, force: true })
  }
}

/** What a node has written, and no more; what links lead to is copied too, for the stores would write to it through a link. */
async function copyFrom(path: string, copy: string): Promise<void> {
  const from = await realpath(path).catch(() => null)
  if (from === null || !existsSync(join(from, IDENTITY_FILE))) throw noDirectory(path)
  await cp(from, copy, {
    recursive: true,
    dereference: true,
    // A file system that can share blocks copies nothing.
    mode: constants.COPYFILE_FICLONE,
    filter: (source) => {
      const [name = ''] = relative(from, source).split(sep)
      return name === '' || (isNodeFile(name) && !name.startsWith(LOCK_FILE))
    },
  })
}

function refuseHeld(path: string): void {
  const holder = holderOf(path)
  if (holder === null) return
  const message = `${path} is in use by process ${holder.pid} on ${holder.host}. Nothing was read. Stop that node first.`
  throw new StartError({ code: 'LOCKED', message })
}

async function openCopy<Result>(
  { path, copy }: { path: string; copy: string },
  use: (node: StoppedNode) => Promise<Result>,
): Promise<Result> {
  const disk = new NodeDisk(copy)
  const bytes = await readFile(join(copy, IDENTITY_FILE)).catch(() => null)
  if (bytes === null) throw noDirectory(path)
  const identity = decodeIdentity(bytes, `${path}/${IDENTITY_FILE}`)
  if ('code' in identity) throw new StartError(identity)
  const directory = groupDirectory(GROUP)
  const snapshots = await opened<SnapshotStore>((done) => openSnapshotStore(join(copy, directory), done))
  try {
    const snapshot = await loadMeta(snapshots)
    const { store: log, recovered } = await opened<{ store: LogStore; recovered: RecoveredLog }>((done) =>
      logOpener({ disk, directory, group: GROUP, started: identity.started, clock: systemClock })(
        snapshot,
        { onPersisted: () => undefined, onFault: () => undefined },
        done,
      ),
    )
    try {
      const trail = await opened<AppliedTrail>((done) =>
        openAppliedTrail({ disk, directory, machines: [] })(() => undefined, done),
      )
      const { recorded, recordedBy } = trail
      await new Promise<void>((resolve) => trail.close(resolve))
      return await use({ nodeId: identity.nodeId, log, recovered, snapshots, snapshot, recorded, recordedBy })
    } finally {
      await new Promise<void>((resolve) => log.close(resolve))
    }
  } finally {
    await new Promise<void>((resolve) => snapshots.close(resolve))
  }
}

function loadMeta(snapshots: SnapshotStore): Promise<SnapshotMeta | null> {
  return new Promise((resolve, reject) => {
    snapshots.load(
      () => undefined,
      (fault, meta) => (fault === null ? resolve(meta) : reject(new StartError(fault))),
    )
  })
}

/** A path where no node has ever been started. */
export function noDirectory(path: string): StartError {
  const message = `${path} is no data directory of a node: it has no ${IDENTITY_FILE}. Name the directory that the node was started with.`
  return new StartError({ code: 'IO_ERROR', message })
}
