import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { logOpener } from '../../assembly/log-opener.ts'
import { settled } from '../../assembly/settled.ts'
import { groupId, logIndex, nodeId, term, writeNumber } from '../../base/brand.ts'
import type { LogStore, RecoveredLog } from '../../node/ports/log-store.ts'
import type { SnapshotInstall, SnapshotMeta, SnapshotStore } from '../../node/ports/snapshot-store.ts'
import type { StorageFault } from '../../node/ports/storage-fault.ts'
import { systemClock } from '../../node/system-clock.ts'
import {
  DIRECTORY_FORMAT,
  type DirectoryIdentity,
  encodeIdentity,
  IDENTITY_FILE,
  LOCK_FILE,
} from '../../storage/directory/identity-file.ts'
import type { DiskLock } from '../../storage/disk/disk.ts'
import { faultOf } from '../../storage/disk/faults.ts'
import { NodeDisk } from '../../storage/disk/node-disk.ts'
import { replaceFile } from '../../storage/disk/replace-file.ts'
import { groupDirectory } from '../../storage/format/file-names.ts'
import { openSnapshotStore } from '../../storage/snapshot/snapshot-store.ts'
import { opened } from '../opened.ts'
import { StartError } from '../start-error.ts'
import { Persisted } from './persisted.ts'

const GROUP = groupId(0)
/** What an empty file system holds, and what a process leaves that was killed while it looked. */
const HARMLESS = /^(lost\+found|LOCK(\.[\w-]+)?)$/

/** Where a restore starts: the snapshot with its number of rows; null: log alone. */
export interface RestoredSnapshot {
  readonly meta: SnapshotMeta
  readonly rows: number
}

/**
 * A data directory that is made of a backup. It is no node's before `finish` has written HOLDFAST.json, the last file: whenever
 * the process ends before, a start refuses what is there, and so does another restore.
 */
export class RestoredDirectory {
  private readonly path: string
  private readonly disk: NodeDisk
  private readonly lock: DiskLock
  private readonly snapshots: SnapshotStore
  private readonly log: { store: LogStore; recovered: RecoveredLog; persisted: Persisted }
  private install: SnapshotInstall | null
  private write: number
  private closing: Promise<void> | null = null

  private constructor(parts: {
    path: string
    disk: NodeDisk
    lock: DiskLock
    snapshots: SnapshotStore
    install: SnapshotInstall | null
    log: { store: LogStore; recovered: RecoveredLog; persisted: Persisted }
  }) {
    this.path = parts.path
    this.disk = parts.disk
    this.lock = parts.lock
    this.snapshots = parts.snapshots
    this.install = parts.install
    this.log = parts.log
    this.write = parts.log.recovered.lastWrite
  }

  /** Rejects with StartError: UNWRITABLE for a directory that holds anything, LOCKED, and what the disk says. */
  static async begin(path: string, snapshot: RestoredSnapshot | null): Promise<RestoredDirectory> {
    await requireEmpty(path)
    const disk = new NodeDisk(path)
    await made(disk, '')
    const lock = await new Promise<DiskLock>((resolve, reject) =>
      disk.lock(LOCK_FILE, (taken) => (taken.ok ? resolve(taken.value) : reject(new StartError(faultOf(taken.error))))),
    )
    try {
      await requireEmpty(path)
    } catch (error) {
      await release(lock)
      throw error
    }
    try {
      return await RestoredDirectory.fill({ path, disk, lock }, snapshot)
    } catch (error) {
      await removeMade(path).finally(() => release(lock))
      throw error
    }
  }

  private static async fill(
    held: { path: string; disk: NodeDisk; lock: DiskLock },
    snapshot: RestoredSnapshot | null,
  ): Promise<RestoredDirectory> {
    const { path, disk } = held
    const directory = groupDirectory(GROUP)
    await made(disk, directory)
    const snapshots = await opened<SnapshotStore>((done) => openSnapshotStore(join(path, directory), done))
    try {
      const install =
        snapshot === null
          ? null
          : await opened<SnapshotInstall>((done) =>
              snapshots.install({ meta: snapshot.meta, total: snapshot.rows }, done),
            )
      const persisted = new Persisted()
      const log = await opened<{ store: LogStore; recovered: RecoveredLog }>((done) =>
        logOpener({ disk, directory, group: GROUP, started: false, clock: systemClock })(
          snapshot?.meta ?? null,
          persisted,
          done,
        ),
      )
      return new RestoredDirectory({ ...held, snapshots, install, log: { ...log, persisted } })
    } catch (error) {
      await new Promise<void>((resolve) => snapshots.close(resolve))
      throw error
    }
  }

  /** The next rows in key order, without deletions. */
  async rows(bytes: Uint8Array, rows: number): Promise<void> {
    const { install } = this
    if (install !== null) await settled<null>((done) => install.write({ rows, bytes }, done), failed)
  }

  /** The next records; `currentTerm` is that of the last one at least. On disk once it resolves. */
  async records(records: Uint8Array, of: { first: number; count: number; currentTerm: number }): Promise<void> {
    const { store, persisted } = this.log
    this.write += 1
    store.append({
      write: writeNumber(this.write),
      hardState: { currentTerm: term(of.currentTerm), votedFor: null },
      truncateFrom: null,
      records,
      firstIndex: logIndex(of.first),
      count: of.count,
    })
    await persisted.reaches(this.write)
  }

  /** The directory is that node's; nothing is held any more. */
  async finish(
    identity: Pick<DirectoryIdentity, 'clusterId' | 'nodeId' | 'instanceId' | 'incarnation' | 'development'>,
  ): Promise<void> {
    const { install, disk } = this
    if (install !== null) {
      const whole = await settled<boolean>((done) => install.finish(done), failed)
      if (!whole) throw new StartError({ code: 'SNAPSHOT_ROT', message: `${this.path}: rows are missing.` })
    }
    await this.closeStores()
    const bytes = encodeIdentity({
      format: DIRECTORY_FORMAT,
      ...identity,
      nodeId: nodeId(identity.nodeId),
      created: new Date().toISOString(),
      groups: [GROUP],
      started: true,
    })
    await new Promise<void>((resolve, reject) =>
      replaceFile(disk, { directory: '', name: IDENTITY_FILE, bytes }, (fault) =>
        fault === null ? resolve() : reject(new StartError(fault)),
      ),
    )
    await release(this.lock)
  }

  /** What was made of it is removed, whatever has failed before, and nothing is held any more. */
  async abandon(): Promise<void> {
    try {
      await this.closeStores()
    } finally {
      await removeMade(this.path).finally(() => release(this.lock))
    }
  }

  /** A store is closed once, whoever asks. */
  private closeStores(): Promise<void> {
    this.closing ??= (async () => {
      await new Promise<void>((resolve) => this.log.store.close(resolve))
      await new Promise<void>((resolve) => this.snapshots.close(resolve))
      this.install = null
    })()
    return this.closing
  }
}

/** Rejects with StartError when a directory holds anything but what an empty file system does. */
export async function requireEmpty(path: string): Promise<void> {
  const names = await readdir(path).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  })
  const found = names.find((name) => !HARMLESS.test(name))
  if (found === undefined) return
  const message = `${path} is not empty (it holds "${found}"). Nothing was changed. Name an empty or a new directory with --data.`
  throw new StartError({ code: 'UNWRITABLE', message })
}

/** Makes a directory and its missing parents, their names durably. */
function made(disk: NodeDisk, path: string): Promise<void> {
  return new Promise((resolve, reject) =>
    disk.makeDirectory(path, (done) => (done.ok ? resolve() : reject(new StartError(faultOf(done.error))))),
  )
}

/** HOLDFAST.json goes first: without it nobody takes the rest for a node's. */
async function removeMade(path: string): Promise<void> {
  for (const name of [IDENTITY_FILE, `${IDENTITY_FILE}.new`, groupDirectory(GROUP)])
    await rm(join(path, name), { recursive: true, force: true })
}

function release(lock: DiskLock): Promise<void> {
  return new Promise((resolve) => lock.release(() => resolve()))
}

function failed(fault: StorageFault): StartError {
  return new StartError(fault)
}
