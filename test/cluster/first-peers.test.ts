import { join } from 'node:path'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type NodeId, nodeId } from '../../src/base/brand.ts'
import { freePorts } from '../../src/cli/cluster/free-ports.ts'
import { NodeProcess } from '../../src/cli/cluster/node-process.ts'
import { fetchStatus } from '../../src/client/index.ts'
import { compileOnce, readerOf, Said, temporaryDirectory } from './processes.ts'

beforeAll(compileOnce)

describe('the peers that a cluster is first started with', () => {
  test('may be corrected until it has begun, and a list that differs later is warned about', async () => {
    const directory = await temporaryDirectory()
    const ports = await freePorts(3, '127.0.0.1')
    const ids = ['n1', 'n2', 'n3'].map(nodeId)
    const addresses = ports.map((port) => `127.0.0.1:${port}`)
    const listOf = (names: readonly string[]): string => names.map((name, at) => `${name}=${addresses[at]}`).join(',')
    const right = listOf(ids)
    const mistyped = listOf(['n1', 'n2', 'n4'])
    const said = new Said()
    const begin = async (id: NodeId, members: string): Promise<NodeProcess> => {
      const started = await NodeProcess.start({
        id,
        members,
        address: addresses[ids.indexOf(id)] ?? '',
        dataDirectory: join(directory, id),
        onLine: (line) => said.hear(id, line),
      })
      onTestFinished(() => started.kill())
      return started
    }
    const [n1, n2, n3] = ids as [NodeId, NodeId, NodeId]
    const wrong = await begin(n1, mistyped)
    expect((await fetchStatus(addresses[0] ?? '', 10_000)).awaited).toEqual(['n2', 'n4'])
    await wrong.stop()
    const corrected = await begin(n1, right)
    await begin(n2, right)
    await said.until(n1, 'clusterIdChanged')
    // Two of three are no first election.
    expect(await fetchStatus(addresses[0] ?? '', 10_000)).toMatchObject({ leader: null, lastIndex: 0 })
    await begin(n3, right)
    const reader = await readerOf(addresses)
    await reader.close()
    await corrected.stop()
    await begin(n1, mistyped)
    expect(await said.until(n1, 'peersDiffer')).toContain('n3=')
    // Its cluster is still the one that it has taken part in.
    const again = await readerOf([addresses[0] ?? ''])
    await again.close()
  })
})
