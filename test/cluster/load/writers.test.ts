import { beforeAll, expect, test } from 'vitest'
import { compileOnce, readerOf, realCluster } from '../processes.ts'
import { Writers } from '../writers.ts'

beforeAll(compileOnce)

test('writers write for as long as they are asked to, and all of it is told apart', async () => {
  const { endpoints } = await realCluster({ nodes: 1 })
  const writers = await Writers.start({ endpoints, name: 'w', sessions: 1, inFlight: 64 })
  // More than one counter takes.
  await writers.more(2500)
  await writers.stop()
  const reader = await readerOf(endpoints)
  await writers.expectExactlyOnce(reader)
  await reader.close()
})

test('whoever waits for more of writers that are refused is told so', async () => {
  const { endpoints } = await realCluster({ nodes: 1 })
  const writers = await Writers.start({ endpoints, name: 'w', sessions: 1 })
  const more = writers.more(1_000_000)
  writers.drop()
  await expect(more).rejects.toThrow('w-0 heard')
})
