import { beforeAll, expect, test, vi } from 'vitest'
import { agreement, leaderOf } from '../../../bench/agreement.ts'
import { nodeId } from '../../../src/base/brand.ts'
import { run } from '../../../src/cli/run.ts'
import { compileOnce, killAll, readerOf, realCluster, startAll, temporaryDirectory } from '../processes.ts'
import { Writers } from '../writers.ts'

beforeAll(compileOnce)

/** Many processes start one after another: seconds on an idle machine, minutes on a busy one. */
const TIMEOUT_MS = 300_000

/** What `holdfast trace check` says of what nodes wrote there, and its exit code. */
async function checked(directory: string): Promise<{ code: number; verdict: { [name: string]: unknown } }> {
  let said = ''
  const out = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    said += String(text)
    return true
  })
  try {
    const code = await run(['node', 'holdfast', 'trace', 'check', '--json', directory])
    return { code, verdict: JSON.parse(said) }
  } finally {
    out.mockRestore()
  }
}

test(
  'the specification allows every step of processes that are killed, one by one and all at once',
  async () => {
    const directory = await temporaryDirectory()
    const cluster = await realCluster({ environment: { HOLDFAST_TRACE_STEPS: directory } })
    const { endpoints } = cluster
    const writers = await Writers.start({ endpoints, name: 'busy', sessions: 8, inFlight: 4 })
    await writers.more(200)
    const leader = nodeId((await leaderOf(cluster)).id)
    await cluster.kill(leader)
    await writers.more(100)
    await cluster.startNode(leader)
    await writers.more(100)
    await killAll(cluster)
    await startAll(cluster)
    await writers.more(100)
    await writers.stop()
    const reader = await readerOf(endpoints)
    await writers.expectExactlyOnce(reader)
    await reader.close()
    await agreement(endpoints)
    await killAll(cluster)
    const { code, verdict } = await checked(directory)
    expect(verdict).toMatchObject({ violation: null, nodes: 3 })
    expect(code).toBe(0)
    expect(verdict['elections']).toBeGreaterThanOrEqual(2)
    expect(Object.keys(Object(verdict['taken'])).length).toBeGreaterThanOrEqual(10)
  },
  TIMEOUT_MS,
)
