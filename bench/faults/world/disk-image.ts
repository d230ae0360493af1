import { mkdirSync, truncateSync, writeFileSync, statfsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Resources, unmount } from './resources.ts'
import { run } from './run.ts'

/** XFS wants 300 MiB at least; the image is a sparse file. */
const IMAGE_BYTES = 768 * 1024 * 1024
const FILLER = 'filler'
/** What a full disk has left: less than any write of a node. */
const LEFT_BYTES = 64 * 1024

/** A node's disk: an XFS image in a file, mounted by itself, that can lose exactly what was not synced. */
export class DiskImage {
  readonly mountPoint: string
  private readonly image: string

  private constructor(image: string, mountPoint: string) {
    this.image = image
    this.mountPoint = mountPoint
  }

  static async make(name: string, resources: Resources): Promise<DiskImage> {
    const disk = new DiskImage(join(resources.directory, `${name}.img`), join(resources.directory, name))
    writeFileSync(disk.image, '')
    truncateSync(disk.image, IMAGE_BYTES)
    mkdirSync(disk.mountPoint)
    await run('mkfs.xfs', ['-q', '-f', disk.image])
    resources.note({ kind: 'mount', path: disk.mountPoint })
    await disk.mount()
    return disk
  }

  /** The power goes: whatever was not synced is lost, and nothing can be written any more. Whoever uses it must end next. */
  async losePower(): Promise<void> {
    await run('xfs_io', ['-x', '-c', 'shutdown', this.mountPoint])
  }

  /** The power is back; nobody may use it meanwhile. */
  async restorePower(): Promise<void> {
    await unmount(this.mountPoint)
    await this.mount()
  }

  /** Whoever writes waits, until `thaw`. */
  async freeze(): Promise<void> {
    await run('fsfreeze', ['-f', this.mountPoint])
  }

  async thaw(): Promise<void> {
    await run('fsfreeze', ['-u', this.mountPoint])
  }

  /** Nothing more fits on it, until `makeRoom`. */
  async fill(): Promise<void> {
    const { bavail, bsize } = statfsSync(this.mountPoint)
    const bytes = Math.max(bsize, bavail * bsize - LEFT_BYTES)
    await run('fallocate', ['-l', String(bytes), join(this.mountPoint, FILLER)])
  }

  makeRoom(): void {
    rmSync(join(this.mountPoint, FILLER), { force: true })
  }

  private async mount(): Promise<void> {
    await run('mount', ['-o', 'loop', this.image, this.mountPoint])
  }
}
