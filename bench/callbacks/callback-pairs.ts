import { join } from 'node:path'
import { LocalCluster } from '../../src/cli/cluster/local-cluster.ts'
import { say, withCommas } from '../../src/cli/terminal/output.ts'
import { type CallbackPeer, callbackPeers, type PeerPoint } from '../peers/callback-peers.ts'
import { type Spread, spread } from '../peers/spread.ts'
import { whileStarted } from '../scratch.ts'
import { measureCallbacks, type Point, SESSIONS_OF_CALLBACKS } from './measure-callbacks.ts'

/** How much is measured. */
export interface CallbackLoad {
  /** How often each system is measured, in turn. */
  readonly pairs: number
  /** Callbacks per measurement of ours. */
  readonly callbacks: number
  /** Length of a measurement of a peer, its warm-up not counted. */
  readonly seconds: number
}

/** What a peer did beside us. */
export interface PeerResult {
  readonly version: string
  readonly form: string
  readonly perSecond: Spread
  readonly p99Ms: Spread
  /** Ours over theirs, of each pair. */
  readonly ratio: Spread
}

export interface CallbackResult {
  readonly holdfast: {
    readonly inFlight: number
    readonly perSecond: Spread
    readonly p50Ms: Spread
    readonly p99Ms: Spread
    readonly cpuMicrosPerCommand: number
  }
  readonly peers: Readonly<Record<CallbackPeer['name'], PeerResult | { readonly skipped: string }>>
}

/**
 * Payment callbacks on three nodes, and the same as its peers do it, in turn. Each measurement of ours has a cluster
 * of its own, so that no log is longer than another. Rejects where a callback was not applied.
 */
export async function callbackPairs(
  directory: string,
  ended: AbortSignal,
  { pairs, callbacks, seconds }: CallbackLoad,
): Promise<CallbackResult> {
  const { present, absent } = await callbackPeers({ directory, seconds, inFlight: SESSIONS_OF_CALLBACKS })
  for (const { name, skipped } of absent) say(`${name}: skipped, ${skipped}`)
  const ours: Point[] = []
  const theirs = new Map<CallbackPeer, PeerPoint[]>(present.map((peer) => [peer, []]))
  const stop = async (): Promise<unknown> => Promise.all(present.map((peer) => peer.stop()))
  await whileStarted({ stop }, ended, async () => {
    // Without anybody beside us one measurement says as much.
    for (let pair = 1; pair <= (present.length === 0 ? 1 : pairs); pair += 1) {
      ours.push(await once(join(directory, `cluster-${pair}`), ended, callbacks))
      for (const [peer, points] of theirs) points.push(said(peer, await peer.measure()))
    }
  })
  const results = [...theirs].map(([{ name, version }, points]) => [name, resultOf(version, points, ours)] as const)
  const skipped = absent.map(({ name, skipped: why }) => [name, { skipped: why }] as const)
  return { holdfast: ownOf(ours), peers: Object.fromEntries([...results, ...skipped]) as CallbackResult['peers'] }
}

async function once(directory: string, ended: AbortSignal, callbacks: number): Promise<Point> {
  const cluster = await LocalCluster.start({ nodes: 3, directory, signal: ended })
  return whileStarted(cluster, ended, async () => {
    const point = await measureCallbacks(cluster, callbacks)
    say(`holdfast: ${withCommas(point.commandsPerSecond)}/s, p99 ${point.p99Ms} ms`)
    return point
  })
}

function said(peer: CallbackPeer, point: PeerPoint): PeerPoint {
  say(`${peer.name}, ${point.form}: ${withCommas(point.perSecond)}/s, p99 ${point.p99Ms} ms`)
  return point
}

function ownOf(ours: readonly Point[]): CallbackResult['holdfast'] {
  return {
    inFlight: SESSIONS_OF_CALLBACKS,
    perSecond: spread(ours.map((point) => point.commandsPerSecond)),
    p50Ms: spread(ours.map((point) => point.p50Ms)),
    p99Ms: spread(ours.map((point) => point.p99Ms)),
    cpuMicrosPerCommand: spread(ours.map((point) => point.cpuMicrosPerCommand ?? Number.NaN)).median,
  }
}

function resultOf(version: string, points: readonly PeerPoint[], ours: readonly Point[]): PeerResult {
  const ratios = points.map(({ perSecond }, at) => (ours[at]?.commandsPerSecond ?? 0) / perSecond)
  return {
    version,
    form: points[0]?.form ?? '',
    perSecond: spread(points.map((point) => point.perSecond)),
    p99Ms: spread(points.map((point) => point.p99Ms)),
    ratio: spread(ratios.map((ratio) => Math.round(ratio * 100) / 100)),
  }
}
