import { LocalCluster } from '../../../src/cli/cluster/local-cluster.ts'
import type { ReplayTotals } from '../../../src/cli/payments/replay-totals.ts'
import { dialGrpc, nodeEnvironment } from '../../../src/client/index.ts'
import { paymentRound, type Payments, totalsOf } from './payment-rounds.ts'

/** What the first so many rounds of that seed come to on one node, of its own, to which nothing happens. */
export async function referenceOf(
  count: number,
  { directory, seed }: { readonly directory: string; readonly seed: number },
): Promise<Payments> {
  const cluster = await LocalCluster.start({ nodes: 1, directory })
  try {
    const { endpoints } = cluster
    const environment = nodeEnvironment(dialGrpc)
    const rounds: ReplayTotals[] = []
    for (let round = 0; round < count; round += 1)
      rounds.push(await paymentRound(round, { endpoints, environment, seed }))
    return { rounds, totals: await totalsOf(endpoints, environment) }
  } finally {
    await Promise.all(cluster.members.map(({ id }) => cluster.kill(id)))
  }
}
