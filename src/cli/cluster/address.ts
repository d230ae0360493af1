import { isNodeId, type NodeId, nodeId } from '../../base/brand.ts'
import { formatHostPort, type HostPort, parseHostPort } from '../../base/host-port.ts'
import { usageError } from '../terminal/exit.ts'

/** A member of a cluster as the command line names it. */
export interface Member {
  readonly id: NodeId
  readonly address: HostPort
}

/** Ports 4600, 4601, 4602 on loopback: where `dev` listens unless told otherwise. */
export const DEFAULT_PORT = 4600
export const DEFAULT_HOST = '127.0.0.1'

/** Parses `host:port` or `[v6]:port`. Refuses anything else with a usage error that names `option`. */
export function parseAddress(text: string, option: string): HostPort {
  const address = parseHostPort(text)
  if (address === null) {
    throw usageError(`${option}: "${text}" is not an address`, 'Write host:port, as in 127.0.0.1:4600 or [::1]:4600.')
  }
  return address
}

/** Parses `n1=host:port,n2=host:port,…`: at least one, no id and no address twice. */
export function parseMembers(text: string, option: string): Member[] {
  const members = text.split(',').map((part) => {
    const [id = '', address = ''] = part.trim().split('=', 2)
    if (!isNodeId(id)) {
      throw usageError(
        `${option}: "${part}" does not begin with a node id`,
        'Write id=host:port; an id is 1–63 of a-z 0-9 -.',
      )
    }
    return { id: nodeId(id), address: parseAddress(address, option) }
  })
  const ids = new Set(members.map((member) => member.id))
  const addresses = new Set(members.map((member) => formatHostPort(member.address)))
  if (ids.size < members.length || addresses.size < members.length) {
    throw usageError(`${option}: a node id or an address stands there twice`, 'Give each node one id and one address.')
  }
  return members
}

/** Endpoints from the option, else from HOLDFAST_ENDPOINTS, else where `dev` listens. */
export function parseEndpoints(option: string | undefined): string[] {
  const text = option ?? process.env['HOLDFAST_ENDPOINTS']
  if (text === undefined)
    return [0, 1, 2].map((offset) => formatHostPort({ host: DEFAULT_HOST, port: DEFAULT_PORT + offset }))
  return text.split(',').map((part) => formatHostPort(parseAddress(part.trim(), '--endpoints')))
}
