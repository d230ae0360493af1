import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { eventually, statusOf } from '../../../bench/agreement.ts'
import { nodeId } from '../../../src/base/brand.ts'
import { freePorts } from '../../../src/cli/cluster/free-ports.ts'
import type { LocalCluster } from '../../../src/cli/cluster/local-cluster.ts'
import { NodeProcess } from '../../../src/cli/cluster/node-process.ts'
import { CommandError } from '../../../src/cli/terminal/exit.ts'
import { OperatorError } from '../../../src/client/operator/ask-leader.ts'
import {
  changeMembership,
  fetchMembers,
  type MemberList,
  type WantedChange,
} from '../../../src/client/operator/members.ts'
import { compileOnce, readerOf, realCluster, temporaryDirectory } from '../processes.ts'
import { Writers } from '../writers.ts'

beforeAll(compileOnce)

/** Half a minute on an idle machine; where processors are busy, a process that starts takes as long. */
const TIMEOUT_MS = 300_000

/** The members' list, once it is as asked; what passes between two leaders is waited for. */
function listed(endpoints: readonly string[], is: (list: MemberList) => boolean): Promise<MemberList> {
  return eventually('the members are as asked', async () => {
    const list = await fetchMembers(endpoints).catch(() => null)
    return list !== null && is(list) ? list : null
  })
}

const votersOf = ({ members }: MemberList): readonly string[] =>
  members.flatMap(({ id, role }) => (role === 'voter' ? [id] : [])).sort()

/** What another time may bring, where disks and processors are slow. */
const PASSING = ['MEMBER_ALIVE', 'NOT_READY', 'NO_LEADER', 'NO_QUORUM', 'CHANGE_UNDERWAY', 'NOT_WAITING']

/** Makes the change once nobody refuses it for the moment, and waits until it is over. */
async function changed(endpoints: readonly string[], change: WantedChange['change'], id: string): Promise<void> {
  const before = await listed(endpoints, ({ joint, committed }) => committed && !joint)
  await eventually(`${change} ${id}`, async () => {
    try {
      return await changeMembership(endpoints, { change, id, learner: false, basedOn: before.index })
    } catch (error) {
      // The answer to a request before this one was lost, with the leader that gave it.
      if (codeOf(error) === 'CHANGED_SINCE') return before.index
      if (PASSING.includes(codeOf(error))) return null
      throw error
    }
  })
  const there = change !== 'remove'
  await listed(endpoints, (list) => list.committed && !list.joint && votersOf(list).includes(id) === there)
}

function codeOf(error: unknown): string {
  return error instanceof OperatorError ? error.code : ''
}

/** A new node of the cluster, that waits to be added. */
async function joining(cluster: LocalCluster, id: string): Promise<string> {
  const [port = 0] = await freePorts(1, '127.0.0.1')
  const address = `127.0.0.1:${port}`
  const dataDirectory = join(await temporaryDirectory(), id)
  // `holdfast join` gives up where nobody leads for some seconds, as on a busy machine.
  const node = await eventually(`${id} joins`, () =>
    NodeProcess.start({
      id: nodeId(id),
      address,
      members: cluster.endpoints.join(','),
      dataDirectory,
      joins: true,
    }).catch((error) => {
      if (error instanceof CommandError && error.cure.includes('NO_LEADER')) return null
      throw error
    }),
  )
  onTestFinished(() => node.kill())
  await listed(cluster.endpoints, (list) => list.members.some((line) => line.id === id && line.role === 'waiting'))
  return address
}

test(
  'a cluster grows from three to five and shrinks to three again under load, one of which is replaced: no error, nothing lost or doubled',
  async () => {
    const cluster = await realCluster()
    const writers = await Writers.start({ endpoints: cluster.endpoints, name: 'w', sessions: 10, inFlight: 4 })
    const endpoints = [...cluster.endpoints]
    for (const id of ['n4', 'n5']) {
      endpoints.push(await joining(cluster, id))
      await changed(endpoints, 'add', id)
      await writers.more(100)
    }
    for (const id of ['n1', 'n2']) {
      await changed(endpoints, 'remove', id)
      await writers.more(100)
    }
    // Started with n1 and n2, which are none any more, beside itself: the leader hears of its empty disk all the same.
    const lost = nodeId('n3')
    await cluster.kill(lost)
    await rm(cluster.dataDirectory(lost), { recursive: true })
    await cluster.startNode(lost)
    await listed(endpoints, (list) => list.members.some((line) => line.id === lost && line.role === 'waiting'))
    await changed(endpoints, 'replace', lost)
    await writers.stop()
    expect(votersOf(await fetchMembers(endpoints))).toEqual(['n3', 'n4', 'n5'])
    const reader = await readerOf(endpoints)
    await writers.expectExactlyOnce(reader)
    await reader.close()
  },
  TIMEOUT_MS,
)

test(
  'each of three nodes is replaced by an empty disk in turn under load: no error, nothing lost or doubled',
  async () => {
    const cluster = await realCluster()
    const writers = await Writers.start({ endpoints: cluster.endpoints, name: 'w', sessions: 10, inFlight: 4 })
    for (const { id } of cluster.members) {
      await cluster.kill(id)
      await rm(cluster.dataDirectory(id), { recursive: true })
      await cluster.startNode(id)
      await listed(cluster.endpoints, (list) => list.members.some((line) => line.id === id && line.role === 'waiting'))
      await changed(cluster.endpoints, 'replace', id)
      await writers.more(100)
    }
    await writers.stop()
    const reader = await readerOf(cluster.endpoints)
    await writers.expectExactlyOnce(reader)
    await reader.close()
  },
  TIMEOUT_MS,
)

test(
  'a removed node halts with REMOVED, also when it was down as that was committed',
  async () => {
    const cluster = await realCluster()
    await changed(cluster.endpoints, 'remove', 'n3')
    await halted(cluster, 'n3')
    await cluster.kill(nodeId('n3'))
    await cluster.startNode(nodeId('n3'))
    await halted(cluster, 'n3')
  },
  TIMEOUT_MS,
)

async function halted(cluster: LocalCluster, id: string): Promise<void> {
  const endpoint = cluster.endpoints[cluster.members.findIndex((member) => member.id === id)] ?? ''
  const status = await eventually(`${id} halts`, async () => {
    const found = await statusOf(endpoint)
    return found?.halted === null ? null : found
  })
  expect(status.halted?.code).toBe('REMOVED')
}
