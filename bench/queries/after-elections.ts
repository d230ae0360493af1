import { setTimeout as pause } from 'node:timers/promises'
import type { LocalCluster } from '../../src/cli/cluster/local-cluster.ts'
import { say } from '../../src/cli/terminal/output.ts'
import type { NodeStatusReport } from '../../src/client/index.ts'
import { agreement, eventually, leaderAmong, leaderOf, statusOf } from '../agreement.ts'
import { type ElectionFigures, electionFigures, type ElectionTrial } from './election-figures.ts'
import type { Elections } from './elections.ts'
import { ReadsProbe } from './reads-probe-process.ts'

/** A cluster whose leaders are killed, and its nodes' word on who was elected when. */
export interface Electorate {
  readonly cluster: LocalCluster
  readonly elections: Elections
}

/** What a killed leader leaves to those who ask, with leases and without. */
export interface AfterElections {
  readonly trials: number
  readonly windowMs: number
  readonly plain: ElectionFigures
  readonly leased: ElectionFigures
}

/** A read that limbo does not touch takes no longer, at p99. */
export const QUIET_READ_MS_MAX = 20
/** As long as a new leader defers to a lease of 300 ms (lease-reads.md), with leases and without. */
const WINDOW_MS = 330
/** Sessions are attached, and leases held. */
const WARM_MS = 500
/** What was asked within the window is answered, and writes are again. */
const REST_MS = 700
/** The longest wait of the SDK's search for a leader, and more: every trial begins with a fresh one. */
const SETTLE_MS = 1200

/** So many kills of the leader of each cluster, one after the other, under reads and writes at a steady pace. */
export async function afterElections(plain: Electorate, leased: Electorate, trials: number): Promise<AfterElections> {
  const electorates = [plain, leased] as const
  const probes = await Promise.all(electorates.map(({ cluster }) => ReadsProbe.start(cluster.endpoints)))
  try {
    const done: ElectionTrial[][] = [[], []]
    for (let trial = 1; trial <= trials; trial += 1) {
      for (const [at, electorate] of electorates.entries()) {
        const probe = probes[at]
        if (probe === undefined) throw new Error('each cluster has a probe')
        const one = await killOnce(electorate, probe)
        done[at]?.push(one)
        const { firstReadMs, firstWriteMs } = figuresOf([one])
        const first = `first read after ${firstReadMs.max} ms, first write after ${firstWriteMs.max} ms`
        say(`kill ${trial} of ${trials}, ${at === 0 ? 'without' : 'with'} leases: ${first}`)
      }
    }
    return { trials, windowMs: WINDOW_MS, plain: figuresOf(done[0] ?? []), leased: figuresOf(done[1] ?? []) }
  } finally {
    await Promise.all(probes.map((probe) => probe.stop()))
  }
}

function figuresOf(trials: readonly ElectionTrial[]): ElectionFigures {
  return electionFigures(trials, { windowMs: WINDOW_MS, readMsMax: QUIET_READ_MS_MAX })
}

/** One kill; the node is back and follows when this resolves. */
async function killOnce({ cluster, elections }: Electorate, probe: ReadsProbe): Promise<ElectionTrial> {
  await pause(SETTLE_MS)
  const before = await leaderOf(cluster)
  const at = cluster.members.findIndex(({ id }) => id === before.id)
  const [member, endpoint] = [cluster.members[at], cluster.endpoints[at]]
  const child = member === undefined ? null : cluster.process(member.id)
  if (member === undefined || endpoint === undefined || child === null) throw new Error(`no process is ${before.id}`)
  const known = await Promise.all(cluster.endpoints.map(statusOf))
  await probe.begin()
  await pause(WARM_MS)
  const killedAt = Date.now()
  process.kill(child.pid, 'SIGKILL')
  await elections.above(before.term)
  await pause(WINDOW_MS + REST_MS)
  const next = await leaderAmong(cluster.endpoints.filter((other) => other !== endpoint))
  const asked = await probe.take()
  const election = elections.of(next.term)
  if (election === null) throw new Error(`${next.id} leads term ${next.term}, and nobody has said so`)
  await child.exited
  await cluster.startNode(member.id)
  await eventually('the node follows', async () => {
    const status = await statusOf(endpoint)
    return status?.role === 'follower' && status.leader !== null ? status : null
  })
  await agreement(cluster.endpoints, next.commitIndex)
  return { killedAt, electedAt: election.at, asked, limbo: limboOf(next, known) }
}

/** What a node has counted of queries in limbo since the statuses of before. */
function limboOf(next: NodeStatusReport, known: readonly (NodeStatusReport | null)[]): ElectionTrial['limbo'] {
  const before = known.find((status) => status?.id === next.id)
  if (before === undefined || before === null) return null
  return { served: next.limboAnswered - before.limboAnswered, waited: next.limboWaited - before.limboWaited }
}
