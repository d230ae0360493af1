import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { formatHostPort } from '../base/host-port.ts'
import type { EmbeddedOptions } from '../host/node-options.ts'
import type { RunningNode } from '../host/running-node.ts'
import { startEmbedded } from '../host/start-node.ts'
import type { MachineIdentity, Mountable } from '../machine/index.ts'
import type { LogLevel } from '../protocol/log-level.ts'
import { DEFAULT_HOST, DEFAULT_PORT, defaultHttp, httpWords, portOf } from './cluster/address.ts'
import type { Backend } from './payments/backend.ts'
import { connectBackend } from './payments/client-backend.ts'
import { playDemo } from './payments/demo.ts'
import { loadMachines } from './machines/load-machines.ts'
import { DevData } from './develop/dev-data.ts'
import { DevNode } from './develop/dev-node.ts'
import { admitModule, admitProduct, type Developed, developModule } from './develop/develop-module.ts'
import { moduleContent } from './develop/watch-module.ts'
import { STOP_MS_MAX } from './cluster/node-process.ts'
import { readSettings, type TypedFlags } from './config/read-settings.ts'
import type { SettingValues } from './config/settings.ts'
import { devCluster } from './cluster/dev-cluster.ts'
import { EXIT, type ExitCode, usageError } from './terminal/exit.ts'
import { paint, printJson, say } from './terminal/output.ts'
import { closeWhenStopped, END_MS_MAX, serveUntilStopped } from './terminal/signals.ts'

const DEFAULT_LISTEN = { host: DEFAULT_HOST, port: DEFAULT_PORT }

/** Options of `holdfast dev`: settings, which the environment and a file may give as well, and what is its own. */
export interface DevFlags extends TypedFlags {
  readonly nodes: number
  readonly demo: boolean
  readonly demoOnly?: true
  readonly restart: boolean
  /** Starts nodes again when the module of machines changes. */
  readonly watch: boolean
  /** Empties the data directory first, if this command made it. */
  readonly reset?: true
  readonly json?: true
}

/** `holdfast dev`: a server to try things with, embedded in this process or as a cluster of processes. */
export async function dev(flags: DevFlags): Promise<ExitCode> {
  const settings = await readSettings(flags)
  const { values, origins } = settings
  if (values.machines !== undefined && (flags.demo || flags.demoOnly === true)) {
    const what = `the demo plays with the product's own machines, not with those of ${origins.machines}`
    throw usageError(what, 'Leave --machines or the demo out.')
  }
  if (flags.demoOnly === true) return demoOnly(values.logLevel ?? 'warn')
  if (flags.nodes > 1 && flags.listen !== undefined) {
    throw usageError('--listen is for one node; --nodes chooses its ports itself', 'Leave one of the two out.')
  }
  if (flags.nodes > 1 && flags.http !== undefined && values.http !== 'off') {
    throw usageError('--http is for one node; --nodes chooses its ports itself', 'Leave one out, or say --http off.')
  }
  const directory = values.data ?? join('data', flags.nodes > 1 ? 'cluster' : 'dev')
  const data = new DevData(directory)
  if (values.machines === undefined) {
    const running = admitProduct(data, flags.reset === true)
    const on = { data, running }
    return flags.nodes > 1 ? devProcesses(flags, values, on) : devEmbedded(flags, values, on)
  }
  const path = resolve(values.machines)
  const developed = {
    path,
    origin: origins.machines ?? '--machines',
    data,
    reset: flags.reset === true,
    content: moduleContent(path),
  }
  const running = await admitModule(developed)
  if (flags.nodes > 1) return devProcesses(flags, values, { data, running, developed })
  if (!flags.watch) {
    return devEmbedded(flags, values, { data, running, machines: await loadMachines(path, developed.origin) })
  }
  return devWatched(flags, values, { developed, running })
}

/** A data directory, and what is about to run there: remembered once it does. */
interface DevelopedData {
  readonly data: DevData
  readonly running: readonly MachineIdentity[]
}

async function devProcesses(
  flags: DevFlags,
  values: SettingValues,
  on: DevelopedData & { readonly developed?: Developed },
): Promise<ExitCode> {
  const { data, running, developed } = on
  await devCluster({
    nodes: flags.nodes,
    restart: flags.restart,
    http: values.http !== 'off',
    data: data.directory,
    environment: environmentOf(flags, values),
    ...(developed === undefined ? {} : { machines: developed.path }),
    ...(flags.json === undefined ? {} : { json: flags.json }),
    whenUp: (nodes) => {
      data.remember(running)
      if (developed !== undefined && flags.watch) developModule(developed, running, nodes)
    },
  })
  return EXIT.ok
}

/** One node as a child process, started again whenever its module has changed. */
async function devWatched(
  flags: DevFlags,
  values: SettingValues,
  { developed, running }: { developed: Developed; running: readonly MachineIdentity[] },
): Promise<ExitCode> {
  const { listen = DEFAULT_LISTEN, insecure } = values
  const signal = serveUntilStopped(STOP_MS_MAX + END_MS_MAX)
  const node = await DevNode.start(
    {
      listen,
      http: await httpOf(values),
      dataDirectory: developed.data.directory,
      machines: developed.path,
      environment: { ...environmentOf(flags, values), ...(insecure === true ? { HOLDFAST_INSECURE: 'true' } : {}) },
    },
    { json: flags.json === true, signal },
  )
  developed.data.remember(running)
  developModule(developed, running, { signal, restart: (between) => node.restart(between) })
  await closeWhenStopped(node, signal)
  return EXIT.ok
}

/** What the processes of a cluster are given besides their own words: they read the same file, and the same environment. */
function environmentOf(
  flags: DevFlags,
  { logLevel = 'warn', limits, webhookSecret }: SettingValues,
): { readonly [name: string]: string } {
  const pairs = Object.entries(limits ?? {}).map(([name, value]) => `${name}=${value}`)
  return {
    HOLDFAST_LOG_LEVEL: logLevel,
    HOLDFAST_DEVELOPMENT: 'true',
    ...(webhookSecret === undefined ? {} : { HOLDFAST_WEBHOOK_SECRET: webhookSecret }),
    ...(pairs.length === 0 ? {} : { HOLDFAST_LIMITS: pairs.join(',') }),
    ...(typeof flags.config === 'string' ? { HOLDFAST_CONFIG: resolve(flags.config) } : {}),
  }
}

/** Where the one node takes callbacks by HTTP: there too unless it is told not to. */
async function httpOf({ http, listen = DEFAULT_LISTEN }: SettingValues): Promise<string> {
  if (http === undefined) return defaultHttp(listen)
  return http === 'off' ? http : formatHostPort(http)
}

async function devEmbedded(
  flags: DevFlags,
  values: SettingValues,
  { data, running, machines }: DevelopedData & { readonly machines?: readonly Mountable[] },
): Promise<ExitCode> {
  const { listen = DEFAULT_LISTEN, limits, logLevel = 'warn', insecure, webhookSecret } = values
  const signal = serveUntilStopped()
  const http = await httpOf(values)
  const server = new EmbeddedServer({
    dataDirectory: data.directory,
    listen: formatHostPort(listen),
    ...(http === 'off' ? {} : { http }),
    webhookSecret,
    machines,
    limits,
    insecure,
    logLevel,
    signal,
  })
  await server.start()
  data.remember(running)
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
  const { address, httpAddress, dataDirectory } = server
  const ports = { grpc: portOf(address), http: portOf(httpAddress) }
  if (json) printJson({ id: server.id, pid: process.pid, address, ports, dataDirectory })
  else say(`${paint('green', 'ready')} on ${address}${httpWords(httpAddress)}, data in ${dataDirectory}   Ctrl-C stops`)
}

/** A durable node in this process that can be stopped and started on its data. */
class EmbeddedServer {
  private readonly options: EmbeddedOptions
  private node: RunningNode | null = null

  constructor(options: EmbeddedOptions) {
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

  get httpAddress(): string | null {
    return this.running.httpAddress
  }

  async start(): Promise<void> {
    this.node = await startEmbedded({ ...this.options, development: true })
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
