import fs from 'node:fs/promises'
import { join } from 'node:path'
import type { LogIndex } from '../../base/brand.ts'
import { openLevel, type SnapshotDatabase } from './snapshot-database.ts'
import { syncDirectory, writeCurrent } from './state-directory.ts'

/** The state directories of one group, as an install needs them: each call is one step that may fail. */
export interface StatePlaces {
  /** An empty database in a state directory of its own, whatever an earlier attempt has left there. */
  make(name: string): Promise<SnapshotDatabase>
  /** CURRENT names that directory, whose name and files are durable before. */
  switchTo(name: string): Promise<void>
  /** Of a directory that CURRENT does not name, and whose database is closed. */
  remove(name: string): Promise<void>
}

/** Name of the state directory of a snapshot that was pulled; the first one of a node is `state-0`. */
export function stateName(index: LogIndex): string {
  return `state-${index}`
}

/** Those below a group's directory. An open finds what is left of an interrupted install and removes it. */
export function statePlaces(directory: string): StatePlaces {
  return {
    make: async (name) => {
      const path = join(directory, name)
      await fs.rm(path, { recursive: true, force: true })
      await fs.mkdir(path)
      return openLevel(path)
    },
    switchTo: (name) => {
      // Synchronous, some milliseconds once per install: CURRENT is the old one or the new one, whatever else runs.
      syncDirectory(join(directory, name))
      syncDirectory(directory)
      writeCurrent(directory, name)
      return Promise.resolve()
    },
    remove: (name) => fs.rm(join(directory, name), { recursive: true, force: true }),
  }
}
