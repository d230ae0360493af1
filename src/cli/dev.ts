import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { formatHostPort } from '../base/host-port.ts'
import type { RunningNode } from '../host/running-node.ts'
import { startEmbedded } from '../host/start-node.ts'
import type { Mountable } from '../machine/index.ts'
import type { LogLevel } from '../protocol/log-level.ts'
import { DEFAULT_HOST, DEFAULT_PORT, parseAddress } from './cluster/address.ts'
import type { Backend } from './payments/backend.ts'
import { connectBackend } from './payments/client-backend.ts'
import { playDemo } from './payments/demo.ts'
import { loadMachines } from './machines/load-machines.ts'
import { devCluster } from './cluster/dev-cluster.ts'
import { EXIT, type ExitCode, usageError } from './terminal/exit.ts'
import { paint, printJson, say } from './terminal/output.ts'
import { closeWhenStopped, serveUntilStopped } from './terminal/signals.ts'

/** Options of `holdfast dev`. */
export interface DevFlags {
  readonly nodes: number
  readonly listen?: string
  readonly data?: string
  /** The module with the machines; absent: the product's own. */
  readonly machines?: string
  readonly demo: boolean
  readonly demoOnly?: true
  readonly restart: boolean
  /** What the logs of the nodes on stderr tell. */
  readonly logLevel: LogLevel
  readonly json?: true
}

/** `holdfast dev`: a server to try things with, embedded in this process or as a cluster of processes. */
export async function dev(flags: DevFlags): Promise<ExitCode> {
  if (flags.machines !== undefined && (flags.demo || flags.demoOnly === true)) {
    throw usageError("the demo plays with the product's own machines", 'Leave --machines or the demo out.')
  }
  if (flags.demoOnly === true) return demoOnly(flags.logLevel)
  // Here for its words: the processes of a cluster load it again, each for itself.
  const machines = flags.machines === undefined ? undefined : await loadMachines(flags.machines)
  if (flags.nodes > 1) {
    if (flags.listen !== undefined) {
      throw usageError('--listen is for one node; --nodes chooses its ports itself', 'Leave one of the two out.')
    }
    const { nodes, restart, logLevel, json } = flags
    await devCluster({
      nodes,
      restart,
      logLevel,
      data: flags.data ?? join('data', 'cluster'),
      ...(flags.machines === undefined ? {} : { machines: resolve(flags.machines) }),
      ...(json === undefined ? {} : { json }),
    })
    return EXIT.ok
  }
  return devEmbedded(flags, machines)
}

async function devEmbedded(flags: DevFlags, machines: readonly Mountable[] | undefined): Promise<ExitCode> {
  const listen =
    flags.listen === undefined ? { host: DEFAULT_HOST, port: DEFAULT_PORT } : parseAddress(flags.listen, '--listen')
  const signal = serveUntilStopped()
  const { data: dataDirectory = join('data', 'dev'), logLevel } = flags
  const server = new EmbeddedServer({ dataDirectory, listen: formatHostPort(listen), machines, logLevel, signal })
  await server.start()
  // A demo that fails says so; the server is there to find out why.
  if (flags.demo) await play(server)
  if (!signal.aborted) report(server, flags.json === true)
  await closeWhenStopped(server, signal)
  return EXIT.ok
}

/** The demo alone, in a directory of its own that is gone afterwards. */
async function demoOnly(logLevel: LogLevel): Promise<ExitCode> {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-demo-'))
  const server = new EmbeddedServer({
    dataDirectory: directory,
    listen: formatHostPort({ host: DEFAULT_HOST, port: 0 }),
    logLevel,
  })
  try {
    await server.start()
    return (await play(server)) ? EXIT.ok : EXIT.failure
  } finally {
    await server.close()
    await rm(directory, { recursive: true, force: true })
  }
}

function play(server: EmbeddedServer): Promise<boolean> {
  const now = Date.now()
  return playDemo({
    run: `demo-${now.toString(36)}`,
    now,
    say,
    connect: () => server.connect(),
    restart: () => server.restart(),
  })
}

function report(server: EmbeddedServer, json: boolean): void {
  const { address, dataDirectory } = server
  const port = parseAddress(address, 'address').port
  if (json) printJson({ id: server.id, pid: process.pid, address, ports: { grpc: port }, dataDirectory })
  else say(`${paint('green', 'ready')} on ${address}, data in ${dataDirectory}   Ctrl-C stops`)
}

interface EmbeddedServerOptions {
  readonly dataDirectory: string
  readonly listen: string
  readonly machines?: readonly Mountable[] | undefined
  readonly logLevel: LogLevel
  /** Gives up a start. */
  readonly signal?: AbortSignal
}

/** A durable node in this process that can be stopped and started on its data. */
class EmbeddedServer {
  private readonly options: EmbeddedServerOptions
  private node: RunningNode | null = null

  constructor(options: EmbeddedServerOptions) {
    this.options = options
  }

  get dataDirectory(): string {
    return this.options.dataDirectory
  }

  get id(): string {
    return this.running.id
  }

  get address(): string {
    return this.running.address
  }

  async start(): Promise<void> {
    this.node = await startEmbedded(this.options)
  }

  async restart(): Promise<void> {
    await this.close()
    await this.start()
  }

  connect(): Promise<Backend> {
    return connectBackend([this.address])
  }

  async close(): Promise<void> {
    await this.node?.close()
    this.node = null
  }

  private get running(): RunningNode {
    if (this.node === null) throw new Error('the embedded node does not run')
    return this.node
  }
}
