import { failure } from '../../../src/base/result.ts'
import type { Disk, DiskDone, DiskFile } from '../../../src/storage/disk/disk.ts'

/**
 * Fails one operation, given by its number, with one error code; `effect` says whether it takes place nevertheless
 * (storage.md §8.3, faults.md §6). With `dies` the process ends there: it is not answered, and nothing is done from then on.
 */
export class FailingDisk implements Disk {
  calls = 0
  failed: string | null = null
  /** Files that were opened and not closed yet. */
  filesOpen = 0
  private readonly disk: Disk
  private readonly plan: {
    readonly call: number
    readonly code: string
    readonly effect: boolean
    readonly match?: RegExp
    readonly dies?: boolean
  }

  constructor(
    disk: Disk,
    plan: {
      readonly call: number
      readonly code: string
      readonly effect: boolean
      readonly match?: RegExp
      readonly dies?: boolean
    },
  ) {
    this.disk = disk
    this.plan = plan
  }

  makeDirectory: Disk['makeDirectory'] = (path, done) =>
    this.call('makeDirectory', path, done, (next) => this.disk.makeDirectory(path, next))
  list: Disk['list'] = (path, done) => this.call('list', path, done, (next) => this.disk.list(path, next))
  readFile: Disk['readFile'] = (path, done) =>
    this.call('readFile', path, done, (next) => this.disk.readFile(path, next))
  rename: Disk['rename'] = (from, to, done) =>
    this.call('rename', from, done, (next) => this.disk.rename(from, to, next))
  remove: Disk['remove'] = (path, done) => this.call('remove', path, done, (next) => this.disk.remove(path, next))
  syncDirectory: Disk['syncDirectory'] = (path, done) =>
    this.call('syncDirectory', path, done, (next) => this.disk.syncDirectory(path, next))
  lock: Disk['lock'] = (path, done) => this.call('lock', path, done, (next) => this.disk.lock(path, next))
  create: Disk['create'] = (path, bytes, done) =>
    this.call<DiskFile>('create', path, done, (next) =>
      this.disk.create(path, bytes, (result) =>
        next(result.ok ? { ok: true, value: this.wrap(path, result.value) } : result),
      ),
    )
  open: Disk['open'] = (path, done) =>
    this.call<DiskFile | null>('open', path, done, (next) =>
      this.disk.open(path, (result) =>
        next(result.ok && result.value !== null ? { ok: true, value: this.wrap(path, result.value) } : result),
      ),
    )

  private wrap(path: string, file: DiskFile): DiskFile {
    this.filesOpen += 1
    return {
      size: file.size,
      read: (position, length, done) => this.call('read', path, done, (next) => file.read(position, length, next)),
      write: (position, buffers, done) => this.call('write', path, done, (next) => file.write(position, buffers, next)),
      sync: (done) => this.call('sync', path, done, (next) => file.sync(next)),
      close: (done) => {
        this.filesOpen -= 1
        file.close(done)
      },
    }
  }

  private call<Value>(
    operation: string,
    path: string,
    done: DiskDone<Value>,
    run: (done: DiskDone<Value>) => void,
  ): void {
    if (this.plan.dies === true && this.failed !== null) return
    if (this.plan.match !== undefined && !this.plan.match.test(`${operation} ${path}`)) return run(done)
    this.calls += 1
    if (this.calls !== this.plan.call) return run(done)
    this.failed = `${operation} ${path}`
    if (this.plan.dies === true) {
      if (this.plan.effect) run(() => undefined)
      return
    }
    const refused = failure({ code: this.plan.code, operation, path, message: 'injected by the test' })
    if (this.plan.effect) run(() => done(refused))
    else done(refused)
  }
}
