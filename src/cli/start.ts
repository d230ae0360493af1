import { formatHostPort } from '../base/host-port.ts'
import { startNode } from '../host/start-node.ts'
import { assert } from '../base/assert.ts'
import { readSettings, type Settings, type TypedFlags } from './config/read-settings.ts'
import { loadMachines } from './machines/load-machines.ts'
import { httpWords } from './cluster/address.ts'
import { paint, printJson, say } from './terminal/output.ts'
import { closeWhenStopped, serveUntilStopped } from './terminal/signals.ts'

/** Options of `holdfast start`: settings, which the environment and a file may give as well. */
export interface StartFlags extends TypedFlags {
  readonly json?: true
}

/** `holdfast start`: one node of a cluster in this process, until SIGTERM, SIGINT or a fault. */
export async function start(flags: StartFlags): Promise<void> {
  const settings = await readSettings(flags, ['id', 'peers', 'data'])
  const { peers = [] } = settings.values
  await startWith(flags, settings, {
    peers: Object.fromEntries(peers.map((peer) => [peer.id, formatHostPort(peer.address)])),
    clusterId: undefined,
  })
}

/** Runs a node of these members until it is stopped; `clusterId`: undefined, the one that follows from them. */
export async function startWith(
  flags: StartFlags,
  { values, origins }: Settings,
  { peers, clusterId }: { readonly peers: { readonly [id: string]: string }; readonly clusterId: string | undefined },
): Promise<void> {
  const {
    id,
    data,
    listen,
    http,
    webhookSecret,
    limits,
    logLevel = 'info',
    insecure = false,
    development,
    leases,
    traceSteps,
    diskReserve: diskReserveBytes,
  } = values
  assert(id !== undefined && data !== undefined, 'required settings are there', { values })
  const machines = values.machines === undefined ? undefined : await loadMachines(values.machines, origins.machines)
  const signal = serveUntilStopped()
  if (insecure) {
    const where = listen === undefined ? (peers[id] ?? id) : formatHostPort(listen)
    say(paint('yellow', `insecure: whoever reaches ${where} may do everything`))
  }
  const node = await startNode({
    id,
    peers,
    clusterId,
    ...(listen === undefined ? {} : { listen: formatHostPort(listen) }),
    ...(http === undefined || http === 'off' ? {} : { http: formatHostPort(http) }),
    webhookSecret,
    dataDirectory: data,
    machines,
    limits,
    insecure,
    development,
    leases,
    traceSteps,
    diskReserveBytes,
    logLevel,
    signal,
  })
  const { address, httpAddress } = node
  if (flags.json === true) printJson({ id: node.id, pid: process.pid, address, httpAddress, dataDirectory: data })
  else say(`${paint('green', 'ready')} ${node.id} listens on ${address}${httpWords(httpAddress)}, data in ${data}`)
  await closeWhenStopped(node, signal)
}
