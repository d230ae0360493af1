import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { eventually, statusOf } from '../../../bench/agreement.ts'
import { freePorts } from '../../../src/cli/cluster/free-ports.ts'
import { connect } from '../../../src/client/index.ts'
import type { RunningNode } from '../../../src/host/running-node.ts'
import { startNode } from '../../../src/host/start-node.ts'
import { temporaryDirectory } from '../processes.ts'

const TIMEOUT_MS = 150_000
/** Record bytes between two snapshots. */
const SNAPSHOT_BYTES = 20_000
const VALUE = 'v'.repeat(1000)

test(
  'a node whose snapshot is damaged starts, sets it aside, and has the state again from the others',
  async () => {
    const directory = await temporaryDirectory()
    const [ids, ports] = [['n1', 'n2', 'n3'] as const, await freePorts(3, '127.0.0.1')]
    const peers = Object.fromEntries(ids.map((id, at) => [id, `127.0.0.1:${ports[at]}`]))
    const running = new Map<string, RunningNode>()
    const start = async (id: string): Promise<void> => {
      const limits = { snapshotBytes: SNAPSHOT_BYTES }
      const node = await startNode({ id, peers, limits, dataDirectory: join(directory, id), logLevel: 'error' })
      running.set(id, node)
    }
    onTestFinished(async () => void (await Promise.all([...running.values()].map((node) => node.close()))))
    await Promise.all(ids.map(start))
    const patient = { connectDeadlineMs: 60_000, deadlineMs: 60_000, timeoutMs: 600_000 }
    const session = await connect({ endpoints: Object.values(peers), principal: 'user:a', ...patient })
    onTestFinished(() => void session.detach())
    const write = async (count: number): Promise<void> => {
      for (let at = 0; at < count; at += 1)
        await session.execute('register', 'write', { key: `k${at % 50}`, value: VALUE })
    }
    await write(80)
    const endpoint = peers['n2'] ?? ''
    // By then the log has gone behind the first of them.
    await eventually('snapshots', async () => ((await statusOf(endpoint))?.snapshotIndex ?? 0) > 45 || null)
    await running.get('n2')?.close()
    const group = join(directory, 'n2', 'group-0')
    await damageState(group)
    await start('n2')
    await write(10)
    await eventually('the state is the same again', async () => {
      const [one, two] = await Promise.all([peers['n1'] ?? '', endpoint].map(statusOf))
      return one && two && one.appliedIndex === two.appliedIndex && one.stateHash === two.stateHash ? true : null
    })
    // What it owed is paid.
    await eventually('nothing is owed', async () => ((await exists(join(group, 'obligation'))) ? null : true))
    expect(await readdir(join(group, 'damaged-state'))).toHaveLength(1)
  },
  TIMEOUT_MS,
)

/** The database of the only state directory loses the file that names its parts. */
async function damageState(group: string): Promise<void> {
  const [state = ''] = (await readdir(group)).filter((name) => /^state-\d+$/.test(name))
  await rm(join(group, state, 'CURRENT'))
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
