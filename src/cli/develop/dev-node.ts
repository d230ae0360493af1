import { formatHostPort, type HostPort } from '../../base/host-port.ts'
import { nodeId } from '../../base/brand.ts'
import { httpWords, portOf } from '../cluster/address.ts'
import { freePorts } from '../cluster/free-ports.ts'
import { NodeProcess, type NodeProcessOptions } from '../cluster/node-process.ts'
import { paint, printJson, say } from '../terminal/output.ts'

/** The one node of `dev` as a child process, which can be started again with another build of its machines. */
export class DevNode {
  private readonly options: NodeProcessOptions
  private readonly json: boolean
  private readonly signal: AbortSignal
  private child: NodeProcess | null = null

  private constructor(options: NodeProcessOptions, json: boolean, signal: AbortSignal) {
    this.options = options
    this.json = json
    this.signal = signal
  }

  /** Starts it; port 0 becomes one that is free, and stays the same over restarts. */
  static async start(
    parts: Omit<NodeProcessOptions, 'id' | 'address' | 'members'> & { readonly listen: HostPort },
    { json, signal }: { readonly json: boolean; readonly signal: AbortSignal },
  ): Promise<DevNode> {
    const { listen, ...rest } = parts
    const [free = 0] = listen.port === 0 ? await freePorts(1, listen.host) : []
    const address = formatHostPort(listen.port === 0 ? { host: listen.host, port: free } : listen)
    const options = { ...rest, id: nodeId('n1'), address, members: `n1=${address}`, onLine: say }
    const node = new DevNode(options, json, signal)
    await node.run()
    return node
  }

  /** Stops it, lets `between` do its work, and starts it. Rejects with CommandError when it does not start: it is then down. */
  async restart(between: (() => void) | null): Promise<void> {
    await this.close()
    between?.()
    await this.run()
  }

  async close(): Promise<void> {
    const { child } = this
    this.child = null
    await child?.stop()
  }

  private async run(): Promise<void> {
    this.signal.throwIfAborted()
    const child = NodeProcess.spawn(this.options)
    const stop = (): void => void child.stop()
    this.signal.addEventListener('abort', stop, { once: true })
    this.child = child
    try {
      await child.ready()
    } catch (error) {
      this.child = null
      this.signal.throwIfAborted()
      throw error
    } finally {
      this.signal.removeEventListener('abort', stop)
    }
    void child.exited.then(({ code, signal }) => {
      if (this.child === child && !this.signal.aborted)
        say(`the node ${paint('red', 'ended')} with ${signal ?? `exit code ${code}`}`)
    })
    this.report(child)
  }

  private report(child: NodeProcess): void {
    const { id, address, dataDirectory } = this.options
    const port = portOf(address)
    const { httpAddress } = child
    const ports = { grpc: port, http: portOf(httpAddress) }
    if (this.json) printJson({ id, pid: child.pid, address, ports, dataDirectory })
    else
      say(`${paint('green', 'ready')} on ${address}${httpWords(httpAddress)}, data in ${dataDirectory}   Ctrl-C stops`)
  }
}
