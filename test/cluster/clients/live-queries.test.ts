import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { leaderOf } from '../../../bench/agreement.ts'
import { nodeId } from '../../../src/base/brand.ts'
import { type Change, type ClientSession, connect } from '../../../src/client/index.ts'
import { register } from '../../../src/machines/register.ts'
import { compileOnce, realCluster } from '../processes.ts'

beforeAll(compileOnce)

const KEY = 'hot'

/** Writes under way at a time: so many may be passed over while a subscriber has no connection. */
const IN_FLIGHT = 64

/** An ordered session that writes 1, 2, 3, … to one register. */
function writing(session: ClientSession<readonly [typeof register]>) {
  let stopping = false
  let sent = 0
  let written = 0
  let wake = (): void => undefined
  const one = async (): Promise<void> => {
    while (!stopping) {
      sent += 1
      const { kind } = await session.machines.register.write({ key: KEY, value: String(sent) })
      expect(kind).toBe('ok')
      written += 1
      wake()
    }
  }
  const loops = Array.from({ length: IN_FLIGHT }, one)
  return {
    /** Resolves when so many more are written. */
    more: async (count: number): Promise<void> => {
      for (const end = written + count; written < end; ) await new Promise<void>((resolve) => (wake = resolve))
    },
    stop: async (): Promise<number> => {
      stopping = true
      await Promise.all(loops)
      return sent
    },
  }
}

/** Every change up to the one with that value. */
async function changesUntil(
  live: AsyncIterable<Change<unknown>>,
  last: () => number | null,
): Promise<Change<unknown>[]> {
  const changes: Change<unknown>[] = []
  for await (const change of live) {
    changes.push(change)
    if (Number(change.value) === last()) break
  }
  return changes
}

test('subscribers hear every value in its order through kills of the leader, and are told where some are left out', async () => {
  const cluster = await realCluster()
  const { endpoints } = cluster
  const open = async (principal: string, ordered = false) => {
    const deadlines = { deadlineMs: 120_000, connectDeadlineMs: 60_000 }
    const session = await connect({ endpoints, principal, ordered, machines: [register], ...deadlines })
    onTestFinished(() => void session.detach())
    return session
  }
  const writer = writing(await open('user:writer', true))
  let newest: number | null = null
  const sessions = await Promise.all(['a', 'b', 'c'].map((name) => open(`user:${name}`)))
  const reading = sessions.map(({ live }) => changesUntil(live.register.read({ key: KEY }), () => newest))
  for (let kill = 1; kill <= 2; kill += 1) {
    await writer.more(1000)
    const id = nodeId((await leaderOf(cluster)).id)
    await cluster.kill(id)
    await writer.more(1000)
    await cluster.startNode(id)
  }
  newest = (await writer.stop()) + 1
  // The one after the last: whoever has heard all before must still be told of it.
  await sessions[0]?.machines.register.write({ key: KEY, value: String(newest) })
  for (const changes of await Promise.all(reading)) {
    expect(changes.at(-1)?.value).toBe(String(newest))
    expect(changes.length).toBeGreaterThan(1000)
    for (const [at, { kind, index, value }] of changes.entries()) {
      const before = changes[at - 1]
      if (before === undefined) continue
      expect(index).toBeGreaterThan(before.index)
      if (kind === 'value') expect(Number(value)).toBe(Number(before.value) + 1)
      else expect(Number(value)).toBeGreaterThan(Number(before.value))
    }
  }
})
