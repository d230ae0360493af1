import { basename } from 'node:path'
import type { SnapshotMeta } from '../../node/ports/snapshot-store.ts'
import { levelLogDamage } from './level-logs.ts'
import { openLevel } from './snapshot-database.ts'
import { decodeSwitch, SNAPSHOT_FORMAT, SWITCH_KEY, unseal } from './snapshot-format.ts'
import { currentState, stateContent } from './state-directory.ts'

/**
 * What the snapshot below a group's directory says of itself, and the name of its state directory; null where there is none, or
 * where that cannot be read, whatever the reason. While no store is open there. The rows are not looked at.
 */
export async function readState(directory: string): Promise<{ state: string; meta: SnapshotMeta } | null> {
  try {
    const path = currentState(directory)
    if (path === null || stateContent(path) !== 'database' || levelLogDamage(path) !== null) return null
    const database = await openLevel(path, false)
    try {
      const stored = await database.get(SWITCH_KEY)
      const content = stored === null ? null : unseal(SWITCH_KEY, stored)
      if (content === null) return null
      const record = decodeSwitch(content)
      return record.format > SNAPSHOT_FORMAT ? null : { state: basename(path), meta: record.meta }
    } finally {
      await database.close()
    }
  } catch {
    // Of a damaged database anything may fail, and then nothing is known of it.
    return null
  }
}
