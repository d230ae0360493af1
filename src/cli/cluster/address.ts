import { formatHostPort, type HostPort, parseHostPort } from '../../base/host-port.ts'
import { type Peer, PeerListError, parsePeers } from '../../host/peer-list.ts'
import { usageError } from '../terminal/exit.ts'
import { portIsFree } from './free-ports.ts'

/** A member of a cluster as the command line names it. */
export type Member = Peer

/** Ports 4600, 4601, 4602 on loopback: where `dev` listens unless told otherwise. */
export const DEFAULT_PORT = 4600
export const DEFAULT_HOST = '127.0.0.1'
/** Of Linux; elsewhere they begin at 49152. */
const ANY_PORT_MIN = 32_768

/** Where `dev` takes callbacks by HTTP: this many ports above where it listens. */
const HTTP_PORT_OFFSET = 80

/**
 * Where a node of `dev` takes callbacks by HTTP that nobody has said a place for: a port of loopback that goes with its own.
 * Any free one where that is taken, or may be at any moment, as those are that systems give to whoever asks for any.
 */
export async function defaultHttp({ port }: HostPort): Promise<string> {
  const wanted = port + HTTP_PORT_OFFSET
  const free = port !== 0 && wanted < ANY_PORT_MIN && (await portIsFree(wanted, DEFAULT_HOST))
  return formatHostPort({ host: DEFAULT_HOST, port: free ? wanted : 0 })
}

/** What is said to a person of a node's HTTP port. */
export function httpWords(httpAddress: string | null): string {
  return httpAddress === null ? '' : `, HTTP on ${httpAddress}`
}

/** The port of an address that is one; null for none. */
export function portOf(address: string | null): number | null {
  return address === null ? null : parseAddress(address, 'address').port
}

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
