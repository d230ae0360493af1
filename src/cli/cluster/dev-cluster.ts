import { setTimeout as sleep } from 'node:timers/promises'
import type { NodeId } from '../../base/brand.ts'
import { formatHostPort } from '../../base/host-port.ts'
import { DEFAULT_PORT } from './address.ts'
import { CommandError } from '../terminal/exit.ts'
import { LocalCluster } from './local-cluster.ts'
import { commandLine, type NodeProcess, STOP_MS_MAX } from './node-process.ts'
import { paint, printJson, say } from '../terminal/output.ts'
import { END_MS_MAX, serveUntilStopped, whenAborted } from '../terminal/signals.ts'

/** A node that somebody killed comes back after this long, as under any supervisor. */
const RESTART_MS = 500
/** Ends this soon after its start this often in a row: the node cannot run, and is left alone. */
const EARLY_END_MS = 5_000
const EARLY_ENDS_MAX = 3

/** Options of `holdfast dev --nodes`. */
export interface DevClusterFlags {
  readonly nodes: number
  readonly data: string
  readonly restart: boolean
  /** The module with the machines, already known to load; absent: the product's own. */
  readonly machines?: string
  /** For the processes, besides this one's: what their logs tell, which come prefixed like their other lines, and limits. */
  readonly environment: { readonly [name: string]: string }
  readonly json?: true
  /** Called once all nodes are up, for whoever may restart them, one after the other. */
  readonly whenUp?: (nodes: RestartableNodes) => void
}

/** The nodes of a cluster, for whoever has a new build of their machines. */
export interface RestartableNodes {
  readonly signal: AbortSignal
  restart(): Promise<void>
}

/** `holdfast dev --nodes 3`: a cluster of child processes with prefixed output, until Ctrl-C. */
export async function devCluster(flags: DevClusterFlags): Promise<void> {
  const signal = serveUntilStopped(STOP_MS_MAX + END_MS_MAX)
  const cluster = await LocalCluster.start({
    signal,
    nodes: flags.nodes,
    directory: flags.data,
    preferredPort: DEFAULT_PORT,
    ...(flags.machines === undefined ? {} : { machines: flags.machines }),
    environment: flags.environment,
    onLine: (id, line) => say(`${prefix(id)} ${line}`),
  })
  const wanted = new Map<NodeId, Promise<NodeProcess>>()
  for (const member of cluster.members) {
    const child = cluster.process(member.id)
    if (child === null) continue
    report(cluster, child, flags)
    void supervise(cluster, child, flags, { stop: signal, wanted })
  }
  if (flags.json !== true) say(`clients: --endpoints ${cluster.endpoints.join(',')}   Ctrl-C stops all nodes`)
  flags.whenUp?.({ signal, restart: () => restartEach(cluster, wanted) })
  await whenAborted(signal)
  await cluster.stop()
}

/** One node after the other, so that a majority serves. What is in `wanted` ended because it was to be started again. */
async function restartEach(cluster: LocalCluster, wanted: Map<NodeId, Promise<NodeProcess>>): Promise<void> {
  for (const { id } of cluster.members) {
    const child = cluster.process(id)
    if (child === null) continue
    const started = child.stop().then(() => cluster.startNode(id))
    wanted.set(id, started)
    try {
      await started
    } finally {
      wanted.delete(id)
    }
  }
}

/** Reports every end of a node, and starts it again unless that is not wanted or does not last. */
async function supervise(
  cluster: LocalCluster,
  first: NodeProcess,
  flags: DevClusterFlags,
  { stop, wanted }: { stop: AbortSignal; wanted: ReadonlyMap<NodeId, Promise<NodeProcess>> },
): Promise<void> {
  const id = first.options.id
  let child = first
  for (let earlyEnds = 0; ; ) {
    const startedAt = Date.now()
    const { code, signal } = await child.exited
    if (stop.aborted) return
    const again = await wanted.get(id)?.catch(() => null)
    if (again === null) return say(`${prefix(id)} did not start again: left alone`)
    if (again !== undefined) {
      child = again
      report(cluster, child, flags)
      continue
    }
    say(`${prefix(id)} ${paint('red', 'ended')} with ${signal ?? `exit code ${code}`}`)
    if (!flags.restart) return
    earlyEnds = Date.now() - startedAt < EARLY_END_MS ? earlyEnds + 1 : 0
    if (earlyEnds > EARLY_ENDS_MAX) {
      say(`${prefix(id)} ends again and again: left alone`)
      return
    }
    await sleep(RESTART_MS)
    if (stop.aborted) return
    try {
      child = await cluster.startNode(id)
    } catch (error) {
      if (stop.aborted) return
      const words = error instanceof CommandError ? error.message : String(error)
      say(`${prefix(id)} ${words}: left alone`)
      return
    }
    if (stop.aborted) return
    report(cluster, child, flags)
  }
}

function report(cluster: LocalCluster, child: NodeProcess, flags: DevClusterFlags): void {
  const { id, address, dataDirectory } = child.options
  const member = cluster.members.find((candidate) => candidate.id === id)
  if (flags.json !== true || member === undefined) {
    say(`${prefix(id)} ${paint('green', 'ready')} on ${address}, process ${child.pid}, data in ${dataDirectory}`)
    return
  }
  printJson({
    id,
    pid: child.pid,
    address: formatHostPort(member.address),
    ports: { grpc: member.address.port },
    dataDirectory,
    command: [process.execPath, ...commandLine(child.options)],
  })
}

function prefix(id: NodeId): string {
  return paint('cyan', `[${id}]`)
}
