import { mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { LocalCluster } from '../../src/cli/cluster/local-cluster.ts'
import { printJson, say } from '../../src/cli/terminal/output.ts'
import { agreement, eventually, leaderOf, statusOf } from '../agreement.ts'
import { Etcd } from '../peers/etcd.ts'
import { Skipped } from '../peers/programs.ts'
import { ProbeProcess } from './probe-process.ts'

export interface FailoverFlags {
  readonly json: boolean
  /** Of `kill -9` each; SIGTERM and SIGSTOP have a fifth of it, at least one. */
  readonly trials: number
  /** Measured beside it. */
  readonly etcd: boolean
}

interface Gaps {
  readonly trials: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly max: number
}

/** The nodes' longest election timeout (raft.md §4). */
const ELECTION_MS_MAX = 600
const BOUNDS = { killP50: 60, killP99: 250, sigtermP99: 50, sigstopP50: 1.5 * ELECTION_MS_MAX }
/** A gap is looked for from this long after the fault on, so that it has begun. */
const WITHIN_MS = { SIGKILL: 150, SIGTERM: 600, SIGSTOP: 900 }
/** The longest wait of the SDK's search for a leader, and more: every trial begins with a fresh one. */
const SETTLE_MS = 1200

/**
 * How long a writer that sends every 2 ms goes without an acknowledgement when the leader of three processes is killed,
 * stopped in order, or frozen; and the same kill on three members of etcd. True when the bounds hold and no write failed.
 */
export async function failover({ json, trials, etcd }: FailoverFlags): Promise<boolean> {
  const few = Math.max(1, Math.round(trials / 5))
  const [kill, own] = await onHoldfast('SIGKILL', trials)
  const [sigterm, ended] = await onHoldfast('SIGTERM', few)
  const [sigstop, frozen] = process.platform === 'win32' ? [null, 0] : await onHoldfast('SIGSTOP', few)
  const beside = etcd ? await onEtcd(trials) : { skipped: 'not asked for' }
  const failed = own + ended + frozen
  const ok =
    failed === 0 &&
    kill.p50 <= BOUNDS.killP50 &&
    kill.p99 <= BOUNDS.killP99 &&
    sigterm.p99 <= BOUNDS.sigtermP99 &&
    (sigstop === null || sigstop.p50 <= BOUNDS.sigstopP50)
  const load = Math.round((loadavg()[0] ?? 0) * 10) / 10
  const result = { trials, gapMs: { kill, sigterm, sigstop }, etcd: beside, failed, bounds: BOUNDS, ok, load }
  if (json) printJson(result)
  else say(JSON.stringify(result, null, 2))
  return ok
}

type Fault = keyof typeof WITHIN_MS

/** The gaps of so many faults of one kind, and how many writes failed. */
async function onHoldfast(fault: Fault, trials: number): Promise<[Gaps, number]> {
  return inDirectory(async (directory) => {
    const cluster = await LocalCluster.start({ nodes: 3, directory })
    try {
      await leaderOf(cluster)
      const probe = await ProbeProcess.start('holdfast', cluster.endpoints)
      try {
        const gaps: number[] = []
        for (let trial = 1; trial <= trials; trial += 1) {
          await pause(SETTLE_MS)
          gaps.push(await faultOnce(cluster, probe, fault))
          say(`${fault} ${trial} of ${trials}: ${round(gaps.at(-1) ?? 0)} ms`)
        }
        return [gapsOf(gaps), probe.failed]
      } finally {
        await probe.end()
      }
    } finally {
      await Promise.all(cluster.members.map(({ id }) => cluster.kill(id)))
    }
  })
}

/** One fault of the leader; its node is back when this resolves. */
async function faultOnce(cluster: LocalCluster, probe: ProbeProcess, fault: Fault): Promise<number> {
  const { id, commitIndex } = await leaderOf(cluster)
  const member = cluster.members.find((candidate) => candidate.id === id)
  const pid = member === undefined ? undefined : cluster.process(member.id)?.pid
  if (member === undefined || pid === undefined) throw new Error(`no process of this cluster is ${id}`)
  const child = cluster.process(member.id)
  const gapMs = await probe.gapOf(() => void process.kill(pid, fault), WITHIN_MS[fault])
  if (fault === 'SIGSTOP') process.kill(pid, 'SIGCONT')
  else {
    await child?.exited
    await cluster.startNode(member.id)
  }
  const endpoint = cluster.endpoints[cluster.members.indexOf(member)] ?? ''
  await eventually('the node follows', async () => {
    const status = await statusOf(endpoint)
    return status?.role === 'follower' && status.leader !== null ? status : null
  })
  await agreement(cluster.endpoints.slice(0, 1), commitIndex)
  return gapMs
}

async function onEtcd(trials: number): Promise<object> {
  try {
    return await inDirectory(async (directory) => {
      const etcd = await Etcd.start(directory)
      try {
        const probe = await ProbeProcess.start('etcd', etcd.endpoints)
        try {
          const gaps: number[] = []
          for (let trial = 1; trial <= trials; trial += 1) {
            await pause(SETTLE_MS)
            const leader = await etcd.leader()
            gaps.push(await probe.gapOf(() => etcd.kill(leader), WITHIN_MS.SIGKILL))
            await etcd.restart(leader)
            say(`etcd, SIGKILL ${trial} of ${trials}: ${round(gaps.at(-1) ?? 0)} ms`)
          }
          return { kill: gapsOf(gaps), failed: probe.failed }
        } finally {
          await probe.end()
        }
      } finally {
        await etcd.stop()
      }
    })
  } catch (error) {
    if (error instanceof Skipped) return { skipped: error.message }
    // What was measured of Holdfast is told all the same.
    return { broken: error instanceof Error ? error.message : String(error) }
  }
}

async function inDirectory<Result>(run: (directory: string) => Promise<Result>): Promise<Result> {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-failover-'))
  try {
    return await run(directory)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function gapsOf(gaps: readonly number[]): Gaps {
  const sorted = gaps.toSorted((left, right) => left - right)
  const at = (share: number): number => round(sorted[Math.ceil(share * sorted.length) - 1] ?? 0)
  return { trials: gaps.length, p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) }
}

function round(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10
}
