/** Where a server listens or is reached. */
export interface HostPort {
  /** A name, or an IP address without brackets; an IPv6 address may end in its zone, `%eth0`. 1 to 253 characters. */
  readonly host: string
  /** In [0, 65535]; 0 asks the system for a free port where a server listens, and names nobody elsewhere. */
  readonly port: number
}

/** Longest DNS name in its text form (RFC 1035). */
const HOST_LENGTH_MAX = 253
const PORT_MAX = 65_535
const HOST_PORT = /^(?:\[([0-9a-fA-F:.]+(?:%[\w.-]+)?)\]|([^\s:[\]]+)):(\d{1,5})$/

/**
 * Parts `host:port` or `[v6]:port`; null for anything else. An IPv6 address needs its brackets: without them nobody knows
 * where it ends. The one place where host and port are parted, as `formatHostPort` is the one that joins them.
 */
export function parseHostPort(text: string): HostPort | null {
  const match = HOST_PORT.exec(text)
  const host = match?.[1] ?? match?.[2]
  const port = Number(match?.[3])
  if (host === undefined || host.length > HOST_LENGTH_MAX || port > PORT_MAX) return null
  return { host, port }
}

/** The text form, with brackets round an IPv6 host. */
export function formatHostPort({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** Only processes of this machine reach a server that listens there. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host)
}
