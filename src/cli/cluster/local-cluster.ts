import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type NodeId, nodeId } from '../../base/brand.ts'
import { formatHostPort } from '../../base/host-port.ts'
import { DEFAULT_HOST, defaultHttp, type Member, parseMembers } from './address.ts'
import { CommandError, EXIT } from '../terminal/exit.ts'
import { freePorts, portIsFree } from './free-ports.ts'
import { NodeProcess } from './node-process.ts'

/** Somebody may take a port between finding it free and listening on it: tries before giving up. */
const PORT_TRIES_MAX = 5
/** In the directory of a cluster, beside those of its nodes. */
export const MEMBERS_FILE = 'members'

/** Which nodes to run, and where. */
export interface LocalClusterOptions {
  /** 1 to 9 nodes, named n1, n2, … */
  readonly nodes: number
  /** Holds one data directory per node, and the members with their addresses for the next start. */
  readonly directory: string
  /** Where the nodes listen. Default 127.0.0.1. */
  readonly host?: string
  /** First of the ports to try; absent or taken: any free ones. */
  readonly preferredPort?: number
  /** Whether the nodes take callbacks by HTTP, on ports of their own; absent: as the environment or a file says, else not. */
  readonly http?: boolean
  /** The module with the machines of all nodes; absent: the product's own. */
  readonly machines?: string
  readonly nodeArguments?: (id: NodeId) => readonly string[]
  readonly environment?: { readonly [name: string]: string }
  readonly onLine?: (id: NodeId, line: string) => void
  /** Gives the start of the cluster up: every node that was spawned is stopped, and it rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

/** A cluster of real processes on this machine's loopback, each with its own data directory. */
export class LocalCluster {
  readonly members: readonly Member[]
  private readonly options: LocalClusterOptions
  private readonly processes = new Map<NodeId, NodeProcess>()

  private constructor(options: LocalClusterOptions, members: readonly Member[]) {
    this.options = options
    this.members = members
  }

  /** Starts all nodes and waits until each listens. A directory used before keeps its members and addresses. */
  static async start(options: LocalClusterOptions): Promise<LocalCluster> {
    await usable(options.directory, makeDirectory(options.directory))
    const known = await rememberedMembers(options.directory)
    if (known !== null) return LocalCluster.startWith(options, known)
    await usable(options.directory, requireEmpty(options.directory))
    for (let attempt = 1; ; attempt += 1) {
      const members = await choosePorts(options, attempt)
      await rememberMembers(options.directory, members)
      try {
        return await LocalCluster.startWith(options, members)
      } catch (error) {
        const portTaken = error instanceof CommandError && error.code === 'PORT_IN_USE'
        if (!portTaken || attempt === PORT_TRIES_MAX) throw error
        await rm(join(options.directory, MEMBERS_FILE))
        await removeUnused(options.directory, members)
      }
    }
  }

  private static async startWith(options: LocalClusterOptions, members: readonly Member[]): Promise<LocalCluster> {
    const { signal } = options
    const cluster = new LocalCluster(options, members)
    const stop = (): void => void cluster.stop()
    signal?.addEventListener('abort', stop, { once: true })
    try {
      signal?.throwIfAborted()
      await Promise.all(members.map((member) => cluster.startNode(member.id)))
      return cluster
    } catch (error) {
      await cluster.stop()
      signal?.throwIfAborted()
      throw error
    } finally {
      signal?.removeEventListener('abort', stop)
    }
  }

  /** `host:port` of every node, for clients. */
  get endpoints(): readonly string[] {
    return this.members.map((member) => formatHostPort(member.address))
  }

  /** `id=host:port,…`, as `--peers` takes it. */
  get membersText(): string {
    return membersText(this.members)
  }

  /** The process of a node, which may still be starting, or null while it is down. */
  process(id: NodeId): NodeProcess | null {
    return this.processes.get(id) ?? null
  }

  dataDirectory(id: NodeId): string {
    return join(this.options.directory, id)
  }

  /** Makes the directory anew, for the same members, after somebody has emptied it while no node ran. */
  async begin(): Promise<void> {
    await usable(this.options.directory, makeDirectory(this.options.directory))
    await rememberMembers(this.options.directory, this.members)
  }

  /** Starts a node that is down, with its old address and data, and waits until it listens. */
  async startNode(id: NodeId): Promise<NodeProcess> {
    const member = this.members.find((candidate) => candidate.id === id)
    if (member === undefined) throw new CommandError(EXIT.usage, `there is no node ${id}`, `Nodes: ${this.membersText}`)
    const { onLine, machines, nodeArguments, environment, http } = this.options
    const httpAddress = http === true ? await defaultHttp(member.address) : 'off'
    const started = NodeProcess.spawn({
      id,
      address: formatHostPort(member.address),
      members: this.membersText,
      dataDirectory: this.dataDirectory(id),
      ...(http === undefined ? {} : { http: httpAddress }),
      nodeArguments: nodeArguments?.(id) ?? [],
      ...(machines === undefined ? {} : { machines }),
      ...(environment === undefined ? {} : { environment }),
      ...(onLine === undefined ? {} : { onLine: (line) => onLine(id, line) }),
    })
    this.processes.set(id, started)
    started.exited.then(() => {
      if (this.processes.get(id) === started) this.processes.delete(id)
    })
    await started.ready()
    return started
  }

  /** `kill -9` of one node; resolves when it is gone. */
  async kill(id: NodeId): Promise<void> {
    await this.processes.get(id)?.kill()
  }

  /** Stops every node, those that are still starting among them. */
  async stop(): Promise<void> {
    await Promise.all([...this.processes.values()].map((node) => node.stop()))
  }
}

/** As `mkdir -p`; that of Node.js tries for ever where a parent is there and nothing can be made in it. */
async function makeDirectory(path: string): Promise<void> {
  const there = async (of: string): Promise<boolean> => (await stat(of).catch(() => null))?.isDirectory() === true
  if (await there(path)) return
  if (dirname(path) !== path) await makeDirectory(dirname(path))
  await mkdir(path)
}

/** What fails with the directory is told as such, before anything is started. */
async function usable<Value>(directory: string, made: Promise<Value>): Promise<Value> {
  try {
    return await made
  } catch (error) {
    if (error instanceof CommandError) throw error
    const what = `the data directory ${directory} cannot be used: ${error instanceof Error ? error.message : String(error)}`
    throw new CommandError(EXIT.failure, what, 'Name another directory with --data.', 'UNWRITABLE')
  }
}

function membersText(members: readonly Member[]): string {
  return members.map((member) => `${member.id}=${formatHostPort(member.address)}`).join(',')
}

/** What the nodes that did get their ports have written: a cluster with those addresses, which never served anybody. */
async function removeUnused(directory: string, members: readonly Member[]): Promise<void> {
  await Promise.all(members.map((member) => rm(join(directory, member.id), { recursive: true, force: true })))
}

async function rememberMembers(directory: string, members: readonly Member[]): Promise<void> {
  await usable(directory, writeFile(join(directory, MEMBERS_FILE), `${membersText(members)}\n`))
}

async function rememberedMembers(directory: string): Promise<Member[] | null> {
  try {
    return parseMembers((await readFile(join(directory, MEMBERS_FILE), 'utf8')).trim(), MEMBERS_FILE)
  } catch (error) {
    if (error instanceof CommandError) throw error
    return null
  }
}

/** A directory with other things in it is somebody's: nothing is written there, and nothing removed. */
async function requireEmpty(directory: string): Promise<void> {
  const found = await readdir(directory)
  if (found.length === 0) return
  throw new CommandError(
    EXIT.failure,
    `${directory} holds other files (${found.slice(0, 3).join(', ')}) and no cluster of this command`,
    'Name an empty or new directory with --data.',
  )
}

async function choosePorts(options: LocalClusterOptions, attempt: number): Promise<Member[]> {
  const { nodes, preferredPort, host = DEFAULT_HOST } = options
  const wanted = preferredPort === undefined ? [] : Array.from({ length: nodes }, (_, at) => preferredPort + at)
  const free = await Promise.all(wanted.map((port) => portIsFree(port, host)))
  const usable = attempt === 1 && free.length === nodes && free.every(Boolean)
  const ports = usable ? wanted : await freePorts(nodes, host)
  return ports.map((port, at) => ({ id: nodeId(`n${at + 1}`), address: { host, port } }))
}
