import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkIdentity, decodeIdentity, IDENTITY_FILE } from '../../storage/directory/identity-file.ts'
import { nodeId } from '../../base/brand.ts'
import { StartError } from '../start-error.ts'
import { holderOf } from '../stopped/directory-files.ts'
import { verifyLog } from '../stopped/read-log.ts'
import { type Finding, well, wrong } from './finding.ts'

/** Whose data directory it is; `id`: whose it should be, null: anybody's. */
export function checkMarker(data: string, id: string | null): Finding {
  const path = join(data, IDENTITY_FILE)
  if (!existsSync(path)) return well('directory', `${data} is no node's yet: a start makes it one's`)
  const found = decodeIdentity(readFileSync(path), path)
  if ('code' in found) return wrong('directory', found, 'holdfast explain IO_ERROR')
  const { nodeId: node, clusterId, incarnation, development = false } = found
  if (id !== null) {
    const refused = checkIdentity(found, { nodeId: nodeId(id), clusterId: null, development }, path)
    if (refused !== null) return wrong('directory', refused, `holdfast doctor --data ${data} --id ${node}`)
  }
  return well('directory', `${data} is that of ${node}, cluster ${clusterId}, incarnation ${Math.max(incarnation, 1)}`)
}

/** Every entry and every row, of a node that is stopped. */
export async function checkContent(data: string): Promise<Finding> {
  if (!existsSync(join(data, IDENTITY_FILE))) return well('log and state', 'there are none yet')
  const holder = holderOf(data)
  if (holder !== null)
    return well('log and state', `not read: process ${holder.pid} runs on them, and would say what is damaged`)
  try {
    const { firstIndex, lastIndex, snapshotIndex } = await verifyLog(data)
    const state = snapshotIndex === 0 ? 'no snapshot' : `snapshot at entry ${snapshotIndex}`
    return well('log and state', `entries ${firstIndex} to ${lastIndex} and ${state} are well`)
  } catch (error) {
    if (!(error instanceof StartError)) throw error
    return wrong('log and state', error, `holdfast explain ${error.code}`)
  }
}
