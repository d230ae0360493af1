import type { StorageFault } from '../node/ports/storage-fault.ts'
import type { Disk, DiskDone, DiskFile } from '../storage/disk/disk.ts'
import { faultOf } from '../storage/disk/faults.ts'
import { KEY_ID_BYTES } from '../codec/value/sealed.ts'
import { decodeSlot, encodeHead, encodeKey, SLOT_BYTES, SLOTS, type SubjectKey } from './key-record.ts'

/** Where a group's key files lie, below its directory. */
const KEYS_DIRECTORY = 'keys'
const NAME = /^\d{8}\.keys$/

/** A failed operation on a key file: the node stops, as at any other of its disk. */
export class KeyFault extends Error {
  readonly fault: StorageFault
  constructor(fault: StorageFault) {
    super(fault.message)
    this.fault = fault
  }
}

interface Slot {
  readonly file: DiskFile
  readonly position: number
}

interface Held {
  readonly key: SubjectKey
  readonly slot: Slot
}

/**
 * The keys of one node, in files of their own beside log and snapshots (docs/decisions/erasure.md): never in either, in no
 * backup. A
 * key is destroyed where it lies, by zeros written over it and synced: it has never been anywhere else, for no file is copied
 * or
 * grows. What the medium keeps of overwritten sectors is beyond this.
 */
export class KeyFiles {
  /** Slots that could not be read as this process opened them, and are empty now. */
  readonly damaged: number
  private readonly disk: Disk
  private readonly directory: string
  private files: DiskFile[]
  /** Number of the newest file; 0 before there is one. */
  private newest: number
  private readonly free: Slot[]
  private readonly byId: Map<string, Held>
  private readonly bySubject = new Map<string, Held[]>()
  private readonly idSum = new Uint8Array(KEY_ID_BYTES)
  private toAdd: SubjectKey[] = []
  private adding: Promise<void> | null = null
  /** What is done next waits for what is being done: one operation at a time. */
  private last: Promise<unknown> = Promise.resolve()
  /** What was to be on the disk may not be: nothing is done any more, and nothing said to be done. */
  private broken: KeyFault | null = null

  private constructor(place: KeyPlace, found: Found) {
    this.disk = place.disk
    this.directory = `${place.directory}/${KEYS_DIRECTORY}`
    this.files = found.files
    this.newest = found.newest
    this.free = found.free
    this.damaged = found.damaged
    this.byId = new Map()
    for (const held of found.held) this.take(held)
  }

  /** Reads what there is; makes nothing until there is a first key. Rejects with KeyFault. */
  static async open(place: KeyPlace): Promise<KeyFiles> {
    return new KeyFiles(place, await read(place))
  }

  get size(): number {
    return this.byId.size
  }

  /** Every key, in no order. */
  all(): SubjectKey[] {
    return [...this.byId.values()].map(({ key }) => key)
  }

  find(keyId: Uint8Array): SubjectKey | null {
    return this.byId.get(text(keyId))?.key ?? null
  }

  ofSubject(subject: string): readonly SubjectKey[] {
    return (this.bySubject.get(subject) ?? []).map(({ key }) => key)
  }

  /** Digests of all subjects with keys, in hex. */
  subjects(): string[] {
    return [...this.bySubject.keys()]
  }

  /** Equal for the same keys: their ids, one over the other. */
  get sum(): Uint8Array {
    return this.idSum.slice()
  }

  /**
   * Resolves once these are durable; one that is there already is left. Rejects with KeyFault. PERF: one sync for all that come
   * while another operation goes on.
   */
  add(keys: readonly SubjectKey[]): Promise<void> {
    this.toAdd.push(...keys)
    this.adding ??= this.queue(() => {
      const { toAdd } = this
      this.toAdd = []
      this.adding = null
      return this.write(toAdd)
    })
    return this.adding
  }

  private async write(keys: readonly SubjectKey[]): Promise<void> {
    // Of one that comes twice, from two peers perhaps, a second slot would outlive its destruction.
    const wanted = new Map(keys.map((key) => [text(key.keyId), key]))
    const added: Held[] = []
    for (const [id, key] of wanted) {
      if (this.byId.has(id)) continue
      const slot = this.free.pop() ?? (await this.extend(added))
      added.push({ key, slot })
    }
    for (const { key, slot } of added)
      await settled<null>((done) => slot.file.write(slot.position, [encodeKey(key)], done))
    await sync(new Set(added.map(({ slot }) => slot.file)))
    for (const held of added) this.take(held)
  }

  /** Resolves once no key of that subject is left, neither here nor in a file; without one, at once. Rejects with KeyFault. */
  destroy(subject: string): Promise<void> {
    return this.queue(async () => {
      const held = this.bySubject.get(subject) ?? []
      for (const { key, slot } of held) {
        key.key.fill(0)
        await settled<null>((done) => slot.file.write(slot.position, [new Uint8Array(SLOT_BYTES)], done))
      }
      await sync(new Set(held.map(({ slot }) => slot.file)))
      // Not before: one that asks again after a failure must not be told that there is nothing left.
      this.bySubject.delete(subject)
      for (const { key, slot } of held) {
        this.byId.delete(text(key.keyId))
        this.addToSum(key.keyId)
        this.free.push(slot)
      }
    })
  }

  /** After what was begun. */
  close(): Promise<void> {
    return this.queue(async () => {
      const { files } = this
      this.files = []
      for (const file of files) await settled<null>((done) => file.close(done))
    })
  }

  private queue(run: () => Promise<void>): Promise<void> {
    const guarded = async (): Promise<void> => {
      if (this.broken !== null) throw this.broken
      try {
        await run()
      } catch (error) {
        // A file for which there is no room was never begun.
        if (error instanceof KeyFault && error.fault.code !== 'DISK_FULL') this.broken = error
        throw error
      }
    }
    const next = this.last.then(guarded, guarded)
    this.last = next.catch(() => undefined)
    return next
  }

  private addToSum(keyId: Uint8Array): void {
    for (const [at, byte] of keyId.entries()) this.idSum[at] = (this.idSum[at] ?? 0) ^ byte
  }

  private take(held: Held): void {
    const subject = text(held.key.subject)
    if (this.byId.has(text(held.key.keyId))) return
    this.byId.set(text(held.key.keyId), held)
    this.addToSum(held.key.keyId)
    this.bySubject.set(subject, [...(this.bySubject.get(subject) ?? []), held])
  }

  /** Another file of empty slots; gives one of them. Without room for it the slots that were `taken` are free again. */
  private async extend(taken: readonly Held[]): Promise<Slot> {
    try {
      return await this.anotherFile()
    } catch (error) {
      this.free.push(...taken.map(({ slot }) => slot))
      throw error
    }
  }

  private async anotherFile(): Promise<Slot> {
    await settled<null>((done) => this.disk.makeDirectory(this.directory, done))
    this.newest += 1
    const name = `${String(this.newest).padStart(8, '0')}.keys`
    const path = `${this.directory}/${name}`
    const file = await settled<DiskFile>((done) => this.disk.create(path, SLOTS * SLOT_BYTES, done))
    this.files.push(file)
    await settled<null>((done) => file.write(0, [encodeHead()], done))
    await sync([file])
    await settled<null>((done) => this.disk.syncDirectory(this.directory, done))
    for (let at = SLOTS - 1; at > 1; at -= 1) this.free.push({ file, position: at * SLOT_BYTES })
    return { file, position: SLOT_BYTES }
  }

  /** Ids of all keys, in hex and in no order; one that comes or goes meanwhile may be among them or not. */
  ids(): IterableIterator<string> {
    return this.byId.keys()
  }

  /** Destroys the keys of every subject that is forgotten, also those that are being added as it is called. */
  async sweep(isForgotten: (subject: string) => boolean): Promise<void> {
    const found: string[] = []
    await this.queue(async () => {
      for (const subject of this.bySubject.keys()) if (isForgotten(subject)) found.push(subject)
    })
    for (const subject of found) await this.destroy(subject)
  }
}

/** The disk, and the group's directory on it. */
export interface KeyPlace {
  readonly disk: Disk
  readonly directory: string
}

interface Found {
  readonly files: DiskFile[]
  readonly newest: number
  readonly free: Slot[]
  readonly held: Held[]
  readonly damaged: number
}

async function read({ disk, directory }: KeyPlace): Promise<Found> {
  const found = { files: [] as DiskFile[], free: [] as Slot[], held: [] as Held[], damaged: 0, newest: 0 }
  const ids = new Set<string>()
  const names = await settled<readonly string[]>((done) => disk.list(`${directory}/${KEYS_DIRECTORY}`, done))
  for (const name of names.filter((each) => NAME.test(each))) {
    const path = `${directory}/${KEYS_DIRECTORY}/${name}`
    found.newest = Math.max(found.newest, Number(name.slice(0, 8)))
    const file = await settled<DiskFile | null>((done) => disk.open(path, done))
    if (file === null) continue
    found.files.push(file)
    const bytes = await settled<Uint8Array>((done) => file.read(0, file.size, done))
    const emptied: number[] = []
    for (let position = SLOT_BYTES; position + SLOT_BYTES <= bytes.length; position += SLOT_BYTES) {
      const content = decodeSlot(bytes.subarray(position, position + SLOT_BYTES))
      const isNew = typeof content === 'object' && !ids.has(text(content.keyId))
      if (isNew) {
        ids.add(text(content.keyId))
        found.held.push({ key: content, slot: { file, position } })
      } else found.free.push({ file, position })
      if (content === 'damaged') found.damaged += 1
      if (!isNew && content !== 'empty') emptied.push(position)
    }
    // Part of a key that was being destroyed may be in it, or one that has another slot, which is destroyed alone.
    for (const position of emptied)
      await settled<null>((done) => file.write(position, [new Uint8Array(SLOT_BYTES)], done))
    if (emptied.length > 0) await sync([file])
  }
  return found
}

async function sync(files: Iterable<DiskFile>): Promise<void> {
  for (const file of files) await settled<null>((done) => file.sync(done))
}

function settled<Value>(start: (done: DiskDone<Value>) => void): Promise<Value> {
  return new Promise((resolve, reject) =>
    start((result) => {
      if (result.ok) resolve(result.value)
      else reject(new KeyFault(faultOf(result.error)))
    }),
  )
}

/** Bytes as a key of a map, in hex. */
export function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
}
