import { formatHostPort, type HostPort, parseHostPort } from '../../base/host-port.ts'
import { type Peer, PeerListError, parsePeers } from '../../host/peer-list.ts'
import { usageError } from '../terminal/exit.ts'

/** A member of a cluster as the command line names it. */
export type Member = Peer

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
  try {
    return parsePeers(text)
  } catch (error) {
    if (!(error instanceof PeerListError)) throw error
    const place = error.member === null ? '' : ` ${error.member}`
    throw usageError(`${option}${place}: ${error.message}`, 'Write id=host:port; an id is 1–63 of a-z 0-9 -.')
  }
}

/** Where `dev` listens with three nodes, and with one. */
export function defaultEndpoints(): string[] {
  return [0, 1, 2].map((offset) => formatHostPort({ host: DEFAULT_HOST, port: DEFAULT_PORT + offset }))
}
