import { eventually, leaderOf, statusOf } from '../../../bench/agreement.ts'
import { sessionCodec } from '../../../src/codec/session-codec.ts'
import type { LocalCluster } from '../../../src/cli/cluster/local-cluster.ts'
import type { ClientSession, NodeStatusReport } from '../../../src/client/index.ts'
import { callUnary } from '../../../src/grpc/call-unary.ts'
import { loadService } from '../../../src/grpc/load-service.ts'
import { expect } from 'vitest'

export type Member = LocalCluster['members'][number]

export function endpointOf(cluster: LocalCluster, member: Member): string {
  return cluster.endpoints[cluster.members.indexOf(member)] ?? ''
}

/** Commands one after the other, each of which must be acknowledged with the next number of its name. */
export class Counting {
  readonly counts = new Map<string, number>()
  private readonly session: ClientSession
  constructor(session: ClientSession) {
    this.session = session
  }

  async add(name: string, times = 1): Promise<void> {
    for (let time = 0; time < times; time += 1) {
      const value = (this.counts.get(name) ?? 0) + 1
      expect(await this.session.execute('marks', 'add', name)).toMatchObject({ kind: 'ok', value })
      this.counts.set(name, value)
    }
  }

  /** Adds until `done` has something. */
  async addUntil<Found>(name: string, done: () => Promise<Found | null>): Promise<Found> {
    return eventually(`what commands on ${name} lead to`, async () => {
      await this.add(name)
      return done()
    })
  }

  /** Everything that was acknowledged is there, and with the mark that the right handlers leave. */
  async verify(): Promise<void> {
    for (const [name, count] of this.counts)
      expect([name, await this.session.query('marks', 'mark', name)]).toMatchObject([
        name,
        { kind: 'ok', value: 'x'.repeat(count) },
      ])
  }
}

/** The status of a node that has halted. */
export function haltOf(cluster: LocalCluster, member: Member): Promise<NodeStatusReport> {
  return eventually(`a halt of ${member.id}`, async () => {
    const status = await statusOf(endpointOf(cluster, member))
    return status === null || status.halted === null ? null : status
  })
}

/** How the node itself answers a query of any state that it has, however old. */
export async function staleQuery(endpoint: string, name: string): Promise<string> {
  const method = loadService('holdfast/v1/session.proto', 'holdfast.v1.SessionService')['Query']
  if (method === undefined) throw new Error('SessionService has Query')
  const input = sessionCodec.encodeValue(name)
  const request = { consistency: 'CONSISTENCY_STALE', machine: 'marks', query: 'mark', input }
  const target = { address: endpoint, path: method.path, messageBytesMax: 1 << 20 }
  try {
    const answer = method.responseDeserialize(await callUnary(target, method.requestSerialize(request), 5000))
    return JSON.stringify(answer)
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/**
 * Makes a member lead that is up and holds the whole log: the second goes down, and the third comes with a log that ends
 * before. Then the second comes back. `between`: what is done while the third is down, at least one acknowledged command.
 */
export async function makeLead(
  cluster: LocalCluster,
  [first, second, third]: readonly [Member, Member, Member],
  between: () => Promise<void>,
): Promise<void> {
  await cluster.kill(third.id)
  await between()
  await cluster.kill(second.id)
  await cluster.startNode(third.id)
  await eventually(`${first.id} leads`, async () => {
    const status = await leaderOf(cluster)
    return status.id === first.id ? status : null
  })
  await cluster.startNode(second.id)
}
