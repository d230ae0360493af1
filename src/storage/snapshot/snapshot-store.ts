import { basename, dirname, join } from 'node:path'
import { assert } from '../../base/assert.ts'
import { logIndex, type LogIndex } from '../../base/brand.ts'
import type {
  SnapshotInstall,
  SnapshotMeta,
  SnapshotSlice,
  SnapshotStore,
  SnapshotView,
} from '../../node/ports/snapshot-store.ts'
import type { StorageDone, StorageFault } from '../../node/ports/storage-fault.ts'
import { faultOf, snapshotRot } from '../disk/faults.ts'
import { levelLogDamage } from './level-logs.ts'
import { type DatabaseChange, databaseFault, openLevel, type SnapshotDatabase } from './snapshot-database.ts'
import { PART_ROWS_MAX, partOf, RowCount } from './snapshot-parts.ts'
import { type StatePlaces, stateName, statePlaces } from './state-places.ts'
import { chooseStateDirectory, stateContent, WITHOUT_PARTS } from './state-directory.ts'
import type { SwitchRecord } from './snapshot-format.ts'
import {
  SWITCH_KEY,
  decodeSwitch,
  encodeSwitch,
  parseSliceKey,
  rowChanges,
  rowKey,
  rowName,
  ROWS,
  seal,
  sliceKey,
  SLICES,
  SNAPSHOT_FORMAT,
  unseal,
} from './snapshot-format.ts'

/**
 * Opens the snapshot under a group's directory (`<data>/group-0`), or makes an empty one (architecture.md §4, storage.md
 * §4.7). Finishes a fold that was interrupted, deletes what was staged but never switched on. Faults: LOCKED,
 * UNWRITABLE, DISK_FULL, IO_ERROR, SNAPSHOT_ROT, NEWER_FORMAT.
 */
export function openSnapshotStore(directory: string, done: StorageDone<SnapshotStore | null>): void {
  openStore(directory).then(
    (store) => done(null, store),
    (error: unknown) => done(faultBehind(error, directory), null),
  )
}

async function openStore(directory: string): Promise<SnapshotStore> {
  const state = chooseStateDirectory(directory)
  if ('damage' in state) throw new Fault(snapshotRot(directory, state.damage))
  const { path } = state
  const content = stateContent(path)
  const damage = content === 'damaged' ? WITHOUT_PARTS : levelLogDamage(path)
  if (damage !== null) throw new Fault(snapshotRot(path, damage))
  const database = await openLevel(path, content === 'nothing')
  try {
    return await storeOver(database, path, statePlaces(directory))
  } catch (error) {
    await database.close()
    throw error
  }
}

/**
 * The store over an open database, which tests replace by a failing one; `places`: for installs. Rejects with an error that
 * `faultBehind` explains.
 */
export async function storeOver(
  database: SnapshotDatabase,
  directory: string,
  places: StatePlaces | null = null,
): Promise<SnapshotStore> {
  const store = new DatabaseSnapshotStore(database, directory, places)
  await store.recover()
  return store
}

/** Rows that `load` hands over at a time: a few milliseconds of decoding each. */
const LOAD_ROWS = 500

/** Slices of a generation that are written but not switched on. */
interface Staged {
  readonly generation: LogIndex
  readonly slices: number
  readonly rows: number
}

/**
 * Dirty rows are staged, slice by slice, each a value of its own under the generation; one synced record switches the
 * generation on; then its slices are folded into the rows, each in one atomic synced write that also deletes the slice.
 * So the cost of a snapshot is twice its dirty rows, whatever the state's size. From the switch on, the snapshot is "the
 * rows, under the slices that are left", and folding again what is folded changes nothing: an interrupted fold is finished
 * at the next open (storage.md §4.4).
 */
class DatabaseSnapshotStore implements SnapshotStore {
  private database: SnapshotDatabase
  /** The state directory. */
  private directory: string
  private readonly places: StatePlaces | null
  private current: SwitchRecord | null = null
  private staged: Staged | null = null
  /** That of an install which was begun and is neither finished nor given up. */
  private installing: SnapshotDatabase | null = null
  /** Settles when the operation asked for last has ended; each operation waits for the one before it. */
  private last: Promise<void> = Promise.resolve()
  /** A disk that failed once is never asked again (storage.md §5). */
  private broken: StorageFault | null = null

  constructor(database: SnapshotDatabase, directory: string, places: StatePlaces | null) {
    this.database = database
    this.directory = directory
    this.places = places
  }

  load(onRows: Parameters<SnapshotStore['load']>[0], done: StorageDone<SnapshotMeta | null>): void {
    this.enqueue(
      async () => {
        let found = 0
        await this.database.scan({ ...ROWS, rowsMax: LOAD_ROWS }, (entries) => {
          found += entries.length
          onRows(entries.map(([key, value]) => ({ key: rowName(key), value: this.unsealed(key, value) })))
        })
        const total = this.current?.total ?? 0
        // A row that is missing, or one that came back, leaves no checksum to fail: only the number of rows shows it.
        if (found !== total) throw this.rot(`it holds ${found} rows and should hold ${total}.`)
        return this.current?.meta ?? null
      },
      { done, failed: null },
    )
  }

  writeSlice(generation: LogIndex, slice: SnapshotSlice, done: StorageDone<null>): void {
    this.enqueue(
      async () => {
        const newest = this.current?.generation ?? 0
        assert(generation > newest, 'a generation is above the snapshot that is switched on', { generation, newest })
        const staged = this.stagedFor(generation)
        const key = sliceKey(generation, staged.slices)
        await this.database.write([...this.abandoned(generation), { key, value: seal(key, slice.bytes) }])
        this.staged = { generation, slices: staged.slices + 1, rows: staged.rows + slice.rows }
        return null
      },
      { done, failed: null },
    )
  }

  commit(generation: LogIndex, snapshot: { meta: SnapshotMeta; total: number }, done: StorageDone<null>): void {
    this.enqueue(
      async () => {
        const { meta, total } = snapshot
        assert(meta.lastIncludedIndex === generation, 'a generation is named by its boundary', { generation })
        const record: SwitchRecord = { format: SNAPSHOT_FORMAT, ...this.stagedFor(generation), total, meta }
        await this.database.write([...this.abandoned(generation), switchingOn(record)])
        this.current = record
        this.staged = null
        for (let slice = 0; slice < record.slices; slice += 1) await this.fold(record, slice)
        return null
      },
      { done, failed: null },
    )
  }

  dropStaged(done: StorageDone<null>): void {
    this.enqueue(
      async () => {
        await this.database.write(this.abandoned(logIndex(0)))
        this.staged = null
        return null
      },
      { done, failed: null },
    )
  }

  view(done: StorageDone<SnapshotView | null>): void {
    this.enqueue(
      () => {
        const { current, database } = this
        if (current === null) return Promise.resolve(null)
        const frozen = database.freeze()
        const { meta, total } = current
        const view: SnapshotView = {
          meta,
          total,
          read: (after, bytesMax, told) => {
            this.reply(
              async () => {
                const from = after === null ? ROWS.from : rowKey(after)
                const range = { after: from, to: ROWS.to, bytesMax, rowsMax: PART_ROWS_MAX }
                const entries = await frozen.read(range)
                if (entries === null) return null
                return partOf(entries.map(([key, value]) => ({ key: rowName(key), value: this.unsealed(key, value) })))
              },
              { done: told, failed: null },
            )
          },
          close: () => void frozen.close().catch(() => undefined),
        }
        return Promise.resolve(view)
      },
      { done, failed: null },
    )
  }

  install(snapshot: { meta: SnapshotMeta; total: number }, done: StorageDone<SnapshotInstall | null>): void {
    const { meta, total } = snapshot
    const { places } = this
    assert(places !== null, 'a store that installs has a place for it')
    const name = stateName(meta.lastIncludedIndex)
    // It would be made anew: whatever is in it goes first.
    assert(name !== basename(this.directory), 'a snapshot is not installed in place of itself', { name })
    this.reply(
      async () => {
        assert(this.installing === null, 'one snapshot is installed at a time', { name })
        const database = await places.make(name)
        this.installing = database
        const rows = new RowCount()
        const install: SnapshotInstall = {
          write: (slice, told) =>
            this.reply(
              async () => {
                rows.add(slice)
                await database.write(rowChanges(Uint8Array.from(slice.bytes)))
                return null
              },
              { done: told, failed: null },
            ),
          finish: (told) =>
            this.enqueue(
              async () => {
                if (!rows.rising || rows.count !== total) return false
                const generation = meta.lastIncludedIndex
                const record = { format: SNAPSHOT_FORMAT, generation, slices: 0, rows: 0, total, meta }
                await database.write([switchingOn(record)])
                await places.switchTo(name)
                await this.become(database, { name, record })
                return true
              },
              { done: told, failed: false },
            ),
          abandon: (told) => {
            this.installing = null
            const given = database.close().then(() => places.remove(name))
            void given.catch(() => undefined).then(told)
          },
        }
        return install
      },
      { done, failed: null },
    )
  }

  /** CURRENT names the new one from here on. The old one goes; views of it read nothing more. */
  private async become(database: SnapshotDatabase, now: { name: string; record: SwitchRecord }): Promise<void> {
    const { database: before, directory } = this
    this.installing = null
    this.database = database
    this.directory = join(dirname(directory), now.name)
    this.current = now.record
    this.staged = null
    await before.close()
    await this.places?.remove(basename(directory))
  }

  close(done: () => void): void {
    this.last = this.last.then(() => this.closeDatabases()).then(done, done)
  }

  private async closeDatabases(): Promise<void> {
    await this.installing?.close()
    await this.database.close()
  }

  /** At open: a fold that was interrupted is finished, what was never switched on is deleted (storage.md §4.7). */
  async recover(): Promise<void> {
    const stored = await this.database.get(SWITCH_KEY)
    if (stored !== null) this.current = this.checkedFormat(decodeSwitch(this.unsealed(SWITCH_KEY, stored)))
    const left: Uint8Array[] = []
    await this.database.scan({ ...SLICES, rowsMax: 16 }, (entries) => {
      for (const [key] of entries) left.push(key)
    })
    for (const key of left) {
      const slice = parseSliceKey(key)
      const { current } = this
      if (slice === null) throw this.rot(`the key ${Buffer.from(key).toString('hex')} is none of a slice.`)
      if (current === null || slice.generation > current.generation) await this.database.write([{ key, value: null }])
      else if (slice.generation === current.generation && slice.slice < current.slices)
        await this.fold(current, slice.slice)
      else
        throw this.rot(`slice ${slice.slice} of generation ${slice.generation} was folded before, and is there again.`)
    }
  }

  /**
   * Moves one slice into the rows; nothing when that happened before. The record goes along, so that rows of a generation
   * are never found under an older one, whatever a database that lost writes lost.
   */
  private async fold(record: SwitchRecord, slice: number): Promise<void> {
    const key = sliceKey(record.generation, slice)
    const stored = await this.database.get(key)
    if (stored === null) return
    const changes = rowChanges(this.unsealed(key, stored))
    await this.database.write([...changes, { key, value: null }, switchingOn(record)])
  }

  private stagedFor(generation: LogIndex): Staged {
    if (this.staged?.generation === generation) return this.staged
    return { generation, slices: 0, rows: 0 }
  }

  /** Deletes what was staged for another generation, which is never switched on now. */
  private abandoned(generation: LogIndex): DatabaseChange[] {
    const staged = this.staged
    if (staged === null || staged.generation === generation) return []
    return Array.from({ length: staged.slices }, (_, slice) => ({
      key: sliceKey(staged.generation, slice),
      value: null,
    }))
  }

  private unsealed(key: Uint8Array, value: Uint8Array): Uint8Array {
    const content = unseal(key, value)
    if (content !== null) return content
    throw this.rot(`the value under key ${Buffer.from(key).toString('hex')} fails its checksum.`)
  }

  private rot(what: string): Fault {
    return new Fault(snapshotRot(this.directory, what))
  }

  private checkedFormat(record: SwitchRecord): SwitchRecord {
    if (record.format <= SNAPSHOT_FORMAT) return record
    throw new Fault({
      code: 'NEWER_FORMAT',
      message: `The snapshot in ${this.directory} has format ${record.format}; this build reads up to ${SNAPSHOT_FORMAT}. Start the newer build.`,
    })
  }

  /** Runs an operation after all that were asked for before it; after the first fault, each answers with that fault. */
  private enqueue<Answer>(
    run: () => Promise<Answer>,
    answer: { readonly done: StorageDone<Answer>; readonly failed: Answer },
  ): void {
    const outcome = this.last.then(() => this.outcome(run, answer))
    // The callback runs outside the chain: what it throws crashes the process as any bug does, and blocks nothing here.
    this.last = outcome.then(
      () => undefined,
      () => undefined,
    )
    void outcome.then((callback) => callback())
  }

  /** Runs an operation beside those that are queued: it touches nothing of theirs. */
  private reply<Answer>(
    run: () => Promise<Answer>,
    answer: { readonly done: StorageDone<Answer>; readonly failed: Answer },
  ): void {
    void this.outcome(run, answer).then((callback) => callback())
  }

  private async outcome<Answer>(
    run: () => Promise<Answer>,
    answer: { readonly done: StorageDone<Answer>; readonly failed: Answer },
  ): Promise<() => void> {
    const { broken } = this
    if (broken !== null) return () => answer.done(broken, answer.failed)
    try {
      const value = await run()
      return () => answer.done(null, value)
    } catch (error) {
      const fault = faultBehind(error, this.directory)
      this.broken = fault
      return () => answer.done(fault, answer.failed)
    }
  }
}

/** The change that writes the record which switches a generation on. */
function switchingOn(record: SwitchRecord): DatabaseChange {
  return { key: SWITCH_KEY, value: seal(SWITCH_KEY, encodeSwitch(record)) }
}

/** Carries a fault through promises, inside this folder only. */
class Fault extends Error {
  override readonly name = 'Fault'
  readonly fault: StorageFault
  constructor(fault: StorageFault) {
    super(fault.message)
    this.fault = fault
  }
}

/** The fault behind an error of this folder, of level or of node:fs; any other error is a bug and is thrown on. */
function faultBehind(error: unknown, directory: string): StorageFault {
  if (error instanceof Fault) return error.fault
  const fromLevel = databaseFault(error, directory)
  if (fromLevel !== null) return fromLevel
  if (error instanceof Error && 'syscall' in error && 'code' in error && typeof error.code === 'string') {
    return faultOf({ code: error.code, operation: String(error.syscall), path: directory, message: error.message })
  }
  throw error
}
