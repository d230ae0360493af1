import { rmSync } from 'node:fs'
import { nodeId } from '../../src/base/brand.ts'
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { status } from '../../src/cli/cluster/status.ts'
import { compileOnce, readerOf, realCluster } from './processes.ts'

beforeAll(compileOnce)

interface Status {
  readonly leader: string | null
  readonly canLose: number
  readonly nodes: readonly { readonly id: string; readonly health: string }[]
}

/** Asks as `holdfast status --json` does until it says what is wanted, and gives the last word. */
async function untilStatus(
  endpoints: readonly string[],
  wanted: (code: number, status: Status) => boolean,
): Promise<Status> {
  let over = false
  onTestFinished(() => {
    over = true
  })
  while (!over) {
    const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
    const code = await status({ endpoints, json: true })
    const said: Status = JSON.parse(String(written.mock.lastCall?.[0]))
    written.mockRestore()
    if (wanted(code, said)) return said
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('the status never became what is wanted')
}

describe('the status of a real cluster', () => {
  test('a node on another data directory is refused and does not count; without a majority the exit code is 6', async () => {
    const cluster = await realCluster()
    const reader = await readerOf(cluster.endpoints)
    await reader.close()
    await untilStatus(cluster.endpoints, (code, { canLose }) => code === 0 && canLose === 1)
    // Asked alone, a follower leads to the leader, which knows the rest.
    await untilStatus(cluster.endpoints.slice(2), (code) => code === 0)
    const replaced = nodeId('n3')
    await cluster.kill(replaced)
    rmSync(cluster.dataDirectory(replaced), { recursive: true })
    await cluster.startNode(replaced)
    const refused = await untilStatus(
      cluster.endpoints,
      (code, { nodes }) => code === 5 && nodes[2]?.health === 'refused',
    )
    expect(refused.canLose).toBe(0)
    await cluster.kill(nodeId('n2'))
    await untilStatus(cluster.endpoints, (code, { canLose }) => code === 6 && canLose < 0)
  })
})
