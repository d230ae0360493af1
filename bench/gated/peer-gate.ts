import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

/** Stands before a node for whoever takes this way, as its peers do: while it is cut, connections are reset and refused. */
export class PeerGate {
  readonly port: number
  private readonly behind: number
  private readonly sockets = new Set<Socket>()
  private server: Server

  private constructor(server: Server, ports: { readonly before: number; readonly behind: number }) {
    this.server = server
    this.port = ports.before
    this.behind = ports.behind
  }

  /** A gate before that port of this machine; cut it when it is no longer wanted. */
  static async before(behind: number): Promise<PeerGate> {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (typeof address !== 'object' || address === null) throw new Error('the gate listens nowhere')
    const gate = new PeerGate(server, { before: address.port, behind })
    server.on('connection', gate.pass)
    return gate
  }

  /** Resolves when nobody gets through any more. */
  async cut(): Promise<void> {
    if (!this.server.listening) return
    const closed = once(this.server, 'close')
    this.server.close()
    for (const socket of this.sockets) socket.resetAndDestroy()
    await closed
  }

  async heal(): Promise<void> {
    if (this.server.listening) return
    this.server = createServer(this.pass)
    this.server.listen(this.port, '127.0.0.1')
    await once(this.server, 'listening')
  }

  private readonly pass = (from: Socket): void => {
    const to = connect(this.behind, '127.0.0.1')
    for (const [socket, other] of [[from, to] as const, [to, from] as const]) {
      this.sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        this.sockets.delete(socket)
        other.destroy()
      })
      socket.pipe(other)
    }
  }
}
