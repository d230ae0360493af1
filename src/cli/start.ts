import { formatHostPort, type HostPort } from '../base/host-port.ts'
import type { RunningNode } from '../host/running-node.ts'
import { startNode } from '../host/start-node.ts'
import type { Mountable } from '../machine/index.ts'
import type { LogLevel } from '../protocol/log-level.ts'
import { type Member, parseAddress, parseMembers } from './cluster/address.ts'
import { loadMachines } from './machines/load-machines.ts'
import { usageError } from './terminal/exit.ts'
import { paint, printJson, say } from './terminal/output.ts'
import { closeWhenStopped, serveUntilStopped } from './terminal/signals.ts'

/** Options of `holdfast start`. */
export interface StartFlags {
  readonly id: string
  readonly listen?: string
  readonly peers: string
  readonly data: string
  /** The module with the machines; absent: the product's own. */
  readonly machines?: string
  /** Lets the server listen beyond loopback although nobody has to prove who they are. */
  readonly insecure?: true
  /** What the node's log on stderr tells. */
  readonly logLevel: LogLevel
  readonly json?: true
}

/** `holdfast start`: one node of a cluster in this process, until SIGTERM, SIGINT or a fault. */
export async function start(flags: StartFlags): Promise<void> {
  const members = parseMembers(flags.peers, '--peers')
  const own = members.find((member) => member.id === flags.id)
  if (own === undefined) {
    throw usageError(`--peers does not name the node ${flags.id}`, 'Name all members there, this node among them.')
  }
  const listen = flags.listen === undefined ? own.address : parseAddress(flags.listen, '--listen')
  const machines = flags.machines === undefined ? undefined : await loadMachines(flags.machines)
  const stop = serveUntilStopped()
  const node = await startMember({ own, listen, members, machines, flags, stop })
  if (flags.json === true)
    printJson({ id: node.id, pid: process.pid, address: node.address, dataDirectory: flags.data })
  else say(`${paint('green', 'ready')} ${node.id} listens on ${node.address}, data in ${flags.data}`)
  await closeWhenStopped(node, stop)
}

async function startMember(parts: {
  own: Member
  listen: HostPort
  members: readonly Member[]
  machines: readonly Mountable[] | undefined
  flags: StartFlags
  stop: AbortSignal
}): Promise<RunningNode> {
  const { own, listen, members, machines, flags, stop: signal } = parts
  const peers = Object.fromEntries(members.map((member) => [member.id, formatHostPort(member.address)]))
  const insecure = flags.insecure === true
  if (insecure) say(paint('yellow', `insecure: whoever reaches ${formatHostPort(listen)} may do everything`))
  const { data: dataDirectory, logLevel } = flags
  return startNode({
    id: own.id,
    listen: formatHostPort(listen),
    peers,
    machines,
    dataDirectory,
    insecure,
    logLevel,
    signal,
  })
}
