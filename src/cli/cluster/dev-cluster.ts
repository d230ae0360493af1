import { formatHostPort } from '../../base/host-port.ts'
import { DEFAULT_PORT, httpWords, portOf } from './address.ts'
import { LocalCluster } from './local-cluster.ts'
import { commandLine, type NodeProcess, STOP_MS_MAX } from './node-process.ts'
import { paint, printJson, say } from '../terminal/output.ts'
import { END_MS_MAX, serveUntilStopped, whenAborted } from '../terminal/signals.ts'
import { prefix, SupervisedNodes } from './supervised-nodes.ts'

/** Options of `holdfast dev --nodes`. */
export interface DevClusterFlags {
  readonly nodes: number
  readonly data: string
  readonly restart: boolean
  /** Whether the nodes take callbacks by HTTP. */
  readonly http: boolean
  /** The module with the machines, already known to load; absent: the product's own. */
  readonly machines?: string
  /** For the processes, besides this one's: what their logs tell, which come prefixed like their other lines, and limits. */
  readonly environment: { readonly [name: string]: string }
  readonly json?: true
  /** Called once all nodes are up; they can be restarted. */
  readonly whenUp: (nodes: SupervisedNodes) => void
}

/** `holdfast dev --nodes 3`: a cluster of child processes with prefixed output, until Ctrl-C. */
export async function devCluster(flags: DevClusterFlags): Promise<void> {
  const signal = serveUntilStopped(STOP_MS_MAX + END_MS_MAX)
  const cluster = await LocalCluster.start({
    signal,
    nodes: flags.nodes,
    directory: flags.data,
    preferredPort: DEFAULT_PORT,
    http: flags.http,
    ...(flags.machines === undefined ? {} : { machines: flags.machines }),
    environment: flags.environment,
    onLine: (id, line) => say(`${prefix(id)} ${line}`),
  })
  const supervised = new SupervisedNodes(cluster, {
    signal,
    restart: flags.restart,
    ready: (child) => report(cluster, child, flags),
  })
  if (flags.json !== true) say(`clients: --endpoints ${cluster.endpoints.join(',')}   Ctrl-C stops all nodes`)
  flags.whenUp(supervised)
  await whenAborted(signal)
  await cluster.stop()
}

function report(cluster: LocalCluster, child: NodeProcess, flags: DevClusterFlags): void {
  const { id, address, dataDirectory } = child.options
  const member = cluster.members.find((candidate) => candidate.id === id)
  if (flags.json !== true || member === undefined) {
    const http = httpWords(child.httpAddress)
    say(`${prefix(id)} ${paint('green', 'ready')} on ${address}${http}, process ${child.pid}, data in ${dataDirectory}`)
    return
  }
  printJson({
    id,
    pid: child.pid,
    address: formatHostPort(member.address),
    ports: { grpc: member.address.port, http: portOf(child.httpAddress) },
    dataDirectory,
    command: [process.execPath, ...commandLine(child.options)],
  })
}
