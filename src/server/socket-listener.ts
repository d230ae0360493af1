import { lookup } from 'node:dns/promises'
import { isIP, type Server } from 'node:net'
import { formatHostPort, type HostPort } from '../base/host-port.ts'

/** Why a server does not listen; `code` is of scope `server` in protocol/errors.ts. */
export class ListenError extends Error {
  override readonly name = 'ListenError'
  readonly code: 'PORT_IN_USE' | 'ADDRESS_UNAVAILABLE' | 'NOT_LOOPBACK'
  constructor(code: ListenError['code'], message: string) {
    super(message)
    this.code = code
  }
}

/** How often another port is taken where any free one will do. */
const ANY_PORT_TRIES = 5

/** Listening sockets on every address of one host, all on one port. */
export class SocketListener {
  readonly port: number
  private readonly servers: readonly Server[]

  private constructor(port: number, servers: readonly Server[]) {
    this.port = port
    this.servers = servers
  }

  /**
   * Binds; port 0 takes any free one. `host` is a name or an address without brackets, `makeServer` makes what serves one
   * address. Rejects with ListenError.
   */
  static async listen(address: HostPort, makeServer: () => Server): Promise<SocketListener> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await SocketListener.bindAll(address, makeServer)
      } catch (error) {
        // Nobody asked for the port that was free at the first of several addresses and is not at the next.
        const unlucky = address.port === 0 && error instanceof ListenError && error.code === 'PORT_IN_USE'
        if (!unlucky || attempt === ANY_PORT_TRIES) throw error
      }
    }
  }

  private static async bindAll({ host, port }: HostPort, makeServer: () => Server): Promise<SocketListener> {
    const servers: Server[] = []
    let bound = port
    let failed: ListenError | null = null
    for (const address of await addressesOf(host, port)) {
      try {
        const server = await bind(makeServer(), { host: address, port: bound })
        bound = portOf(server)
        servers.push(server)
      } catch (error) {
        failed ??= listenError(error, { host, port: bound })
      }
    }
    // One of several addresses may be of a family that this machine does not have, but none may be somebody else's.
    if (failed !== null && (servers.length === 0 || failed.code === 'PORT_IN_USE')) {
      for (const server of servers) server.close()
      throw failed
    }
    return new SocketListener(bound, servers)
  }

  /** Nothing is accepted from here on; sockets that were handed over stay. */
  close(): void {
    for (const server of this.servers) server.close()
  }
}

async function addressesOf(host: string, port: number): Promise<readonly string[]> {
  if (isIP(host) !== 0) return [host]
  try {
    return [...new Set((await lookup(host, { all: true })).map(({ address }) => address))]
  } catch (error) {
    throw listenError(error, { host, port })
  }
}

function bind(server: Server, address: HostPort): Promise<Server> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(address, () => {
      server.off('error', reject)
      // A connection that cannot be accepted, for want of descriptors or because it has gone again, harms nobody else.
      server.on('error', () => undefined)
      resolve(server)
    })
  })
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

function listenError(error: unknown, at: HostPort): ListenError {
  const address = formatHostPort(at)
  if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
    return new ListenError('PORT_IN_USE', `Another process listens on ${address}. Stop it or choose another port.`)
  }
  const words = error instanceof Error ? error.message : String(error)
  return new ListenError('ADDRESS_UNAVAILABLE', `The server cannot listen on ${address}: ${words}`)
}
