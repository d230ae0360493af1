import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { replayHistory, type ReplayReport } from '../../assembly/replay/replay-history.ts'
import { logIndex } from '../../base/brand.ts'
import { sessionCodec } from '../../codec/session-codec.ts'
import { mount, type Mountable } from '../../machine/index.ts'
import { withStoppedNode } from '../stopped/open-stopped.ts'
import type { BackupBytes } from './read-parts.ts'
import { restoreBackup } from './restore.ts'

/**
 * Applies the history in a backup again, with these machines, and with `against` beside them if given: from entry 1 where its
 * log goes back so far, else from its state on. The state at its end is compared with the one that its node had there. It is
 * restored among the system's temporary files. Rejects as `restoreBackup` does.
 */
export async function replayBackup(
  file: () => BackupBytes,
  machines: readonly Mountable[],
  against: readonly Mountable[] | null,
): Promise<ReplayReport> {
  const around = await mkdtemp(join(tmpdir(), 'holdfast-replay-'))
  const data = join(around, 'data')
  try {
    const { facts } = await restoreBackup({
      file,
      base: null,
      data,
      id: 'n1',
      peers: [{ id: 'n1', address: '127.0.0.1:4600' }],
      toIndex: null,
      toTimeMs: null,
      start: null,
      dryRun: false,
      nowMs: Date.now(),
      onProgress: () => undefined,
    })
    const { index, stateHash } = facts.end
    return await withStoppedNode(data, (node) => {
      const recorded = stateHash === '' ? [] : [{ index: logIndex(index), hash: stateHash }]
      const recovered = { ...node.recovered, lastIndex: logIndex(index) }
      const old = against === null ? null : mount(against, sessionCodec)
      return replayHistory({ ...node, recovered, recorded }, mount(machines, sessionCodec), old)
    })
  } finally {
    await rm(around, { recursive: true, force: true })
  }
}
