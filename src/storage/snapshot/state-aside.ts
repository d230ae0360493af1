import fs from 'node:fs'
import { join } from 'node:path'
import type { SnapshotMeta } from '../../node/ports/snapshot-store.ts'
import type { StorageDone, StorageFault } from '../../node/ports/storage-fault.ts'
import { faultOf } from '../disk/faults.ts'
import { trailPath } from '../format/file-names.ts'
import { readState } from './read-state.ts'
import { seal, unseal } from './snapshot-format.ts'
import { STATE_NAME, syncDirectory } from './state-directory.ts'

/** Below a group's directory: where a damaged snapshot is kept, and one that an operator had set aside. */
const DAMAGED = 'damaged-state'
const ASIDE = 'state-set-aside'
/** Name of the note in a group's directory, which is there until another snapshot has taken the place. */
const AWAITED_NAME = 'awaited-state'

/** What is known of a state that was set aside; the log goes on behind it (docs/format.md). */
export interface AwaitedNote {
  /** Name of its state directory. */
  readonly state: string
  /** Below the group's directory, where that lies from then on. */
  readonly aside: string
  /** Only a snapshot that more than half of the other voters have may take its place. */
  readonly agreed: boolean
  readonly meta: SnapshotMeta
}

/**
 * Sets a damaged snapshot aside, for diagnosis, in place of one set aside before; the next open makes an empty one. Only where
 * other nodes have the state, and while no store is open there. Interrupted, it is done again: what is left is found damaged.
 *
 * The log is not touched. Where the record that says what the snapshot is can still be read, a note of it stays, and with the
 * note the log opens as before. Else its open finds entries missing, if it begins behind the snapshot, and notes that it must
 * reach its last entry again before anything of it goes (storage.md §3): nothing that was acknowledged is forgotten.
 */
export function setDamagedStateAside(directory: string, done: StorageDone<null>): void {
  void readState(directory).then((read) =>
    within(directory, done, () => {
      if (read !== null) writeNote(directory, { ...read, aside: DAMAGED, agreed: false })
      move(directory, DAMAGED, null)
    }),
  )
}

/**
 * Sets aside a snapshot whose state is another than that of the other nodes, with what was noted of the states that led to it.
 * `done` with what is known of it; null: there is no snapshot, or none that can be read, and nothing was changed. The caller
 * has the directory for itself, and has seen that nothing is set aside there (`keptState`).
 */
export function setStateAside(directory: string, done: StorageDone<SnapshotMeta | null>): void {
  void readState(directory).then((read) => {
    if (read === null) return done(null, null)
    within(
      directory,
      (fault) => done(fault, fault === null ? read.meta : null),
      () => {
        const note = { ...read, aside: ASIDE, agreed: true }
        writeNote(directory, note)
        move(directory, ASIDE, note.state)
      },
    )
  })
}

/** What is awaited in place of a state that was set aside, which an interrupted command may have left to be done; or null. */
export function awaitedState(directory: string, done: StorageDone<AwaitedNote | null>): void {
  let note: AwaitedNote | null = null
  const finish = (): void => {
    note = readNote(directory)
    if (note === null) return
    const { state, aside } = note
    const isLeft = fs.existsSync(join(directory, state)) && !fs.existsSync(join(directory, aside, state))
    if (isLeft) move(directory, aside, state)
  }
  within(directory, (fault) => done(fault, fault === null ? note : null), finish)
}

/** Another snapshot has taken its place, durably: the note goes. */
export function stateArrived(directory: string): void {
  fs.rmSync(join(directory, AWAITED_NAME), { force: true })
  syncDirectory(directory)
}

/**
 * Deletes what an operator had set aside, once another snapshot has taken its place. False: it has not, and nothing was
 * changed. Nothing where nothing is set aside.
 */
export function discardKeptState(directory: string): boolean {
  if (fs.existsSync(join(directory, AWAITED_NAME))) return false
  const kept = keptState(directory)
  if (kept === null) return true
  // A note that came back would have what is in its place taken for what it names.
  syncDirectory(directory)
  fs.rmSync(kept, { recursive: true, force: true })
  return true
}

/** Where a state lies that an operator had set aside; null: nowhere. */
export function keptState(directory: string): string | null {
  const path = join(directory, ASIDE)
  return fs.existsSync(path) ? path : null
}

function writeNote(directory: string, note: AwaitedNote): void {
  const content = new Uint8Array(Buffer.from(JSON.stringify(note), 'utf8'))
  const path = join(directory, AWAITED_NAME)
  fs.writeFileSync(`${path}.new`, seal(NOTE_KEY, content), { flush: true })
  fs.renameSync(`${path}.new`, path)
  syncDirectory(directory)
}

/** One that cannot be read says nothing: the log is then opened as behind a snapshot of which nothing is known. */
function readNote(directory: string): AwaitedNote | null {
  const path = join(directory, AWAITED_NAME)
  if (!fs.existsSync(path)) return null
  const content = unseal(NOTE_KEY, new Uint8Array(fs.readFileSync(path)))
  // The bytes were verified by their checksum, so they are what a node wrote.
  return content === null ? null : (JSON.parse(Buffer.from(content).toString('utf8')) as AwaitedNote)
}

const NOTE_KEY = new Uint8Array(Buffer.from(AWAITED_NAME, 'utf8'))

/**
 * Moves the state directories, or the one named while all others go, and the trail with it. Interrupted, it is done again. The
 * one that is named goes last, so that it is there whenever something is left to do.
 */
function move(directory: string, aside: string, only: string | null): void {
  const to = join(directory, aside)
  const states = fs.readdirSync(directory).filter((name) => STATE_NAME.test(name))
  if (only === null && states.length > 0) fs.rmSync(to, { recursive: true, force: true })
  fs.mkdirSync(to, { recursive: true })
  if (only !== null) {
    fs.rmSync(join(directory, 'CURRENT'), { force: true })
    const trail = trailPath(directory)
    if (fs.existsSync(trail)) fs.renameSync(trail, trailPath(to))
    for (const name of states) if (name !== only) fs.rmSync(join(directory, name), { recursive: true, force: true })
  }
  for (const name of states) if (only === null || name === only) fs.renameSync(join(directory, name), join(to, name))
  // The last step: without a state directory it names nothing, and without it there is nothing to name.
  fs.rmSync(join(directory, 'CURRENT'), { force: true })
  syncDirectory(to)
  syncDirectory(directory)
}

/** Runs it; what node:fs throws is the fault. */
function within(directory: string, done: StorageDone<null>, run: () => void): void {
  let fault: StorageFault | null = null
  try {
    run()
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && typeof error.code === 'string')) throw error
    const operation = 'syscall' in error ? String(error.syscall) : 'rename'
    fault = faultOf({ code: error.code, operation, path: directory, message: error.message })
  }
  done(fault, null)
}
