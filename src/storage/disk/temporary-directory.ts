import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A new directory that nobody else uses, below the system's temporary one. */
export interface TemporaryDirectory {
  readonly path: string
  /** Removes it with everything in it. */
  remove(): Promise<void>
}

export async function temporaryDirectory(): Promise<TemporaryDirectory> {
  const path = await mkdtemp(join(tmpdir(), 'holdfast-'))
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}
