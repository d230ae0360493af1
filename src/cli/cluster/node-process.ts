import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { NodeId } from '../../base/brand.ts'
import { CommandError, EXIT } from '../terminal/exit.ts'
import { executablePath } from '../package-root.ts'

/** How long a node may take from its start to its first line; a replay of a long log is part of it. */
const READY_MS_MAX = 120_000
/** SIGTERM, then this long, then SIGKILL: longer than a node takes to give up closing in order (`END_MS_MAX`). */
export const STOP_MS_MAX = 10_000
/** Last lines of a child's chatter that an error repeats. */
const TAIL_LINES_MAX = 20

/** How one node is started. */
export interface NodeProcessOptions {
  readonly id: NodeId
  /** `host:port` of this node. */
  readonly address: string
  /** `id=host:port,…` of all members. */
  readonly members: string
  /** It is no member yet: `holdfast join`. Default false. */
  readonly joins?: boolean
  readonly dataDirectory: string
  /** Where it takes callbacks by HTTP; absent: as the environment or a file says, else nowhere. */
  readonly http?: string
  /** The module with its machines; absent: the product's own. */
  readonly machines?: string
  /** Options of Node.js itself, e.g. `--cpu-prof`. */
  readonly nodeArguments?: readonly string[]
  readonly environment?: { readonly [name: string]: string }
  /** Program and arguments that become the node's process, such as `nsenter` and a namespace; absent: Node.js itself. */
  readonly through?: readonly string[]
  /** Every line that the process writes, except its first one, which says that it is ready. */
  readonly onLine?: (line: string) => void
}

/** One node as a child process. It stops when this process goes away, however that happens (its IPC channel closes). */
export class NodeProcess {
  readonly options: NodeProcessOptions
  readonly pid: number
  /** Resolves when the process has ended. */
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  private told: ReadyLine = { httpAddress: null }
  private readonly child: ChildProcess
  private readonly tail: string[] = []
  private stopping: Promise<void> | null = null

  private constructor(options: NodeProcessOptions, child: ChildProcess) {
    this.options = options
    this.child = child
    this.pid = child.pid ?? -1
    this.exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => resolve({ code, signal }))
      child.once('error', () => resolve({ code: EXIT.failure, signal: null }))
    })
  }

  /** Where it takes callbacks by HTTP, once it is ready; null: nowhere. */
  get httpAddress(): string | null {
    return this.told.httpAddress
  }

  /** Spawns the node and waits until it is `ready`. */
  static async start(options: NodeProcessOptions): Promise<NodeProcess> {
    const node = NodeProcess.spawn(options)
    await node.ready()
    return node
  }

  /** Spawns the node, which then starts: `ready`. */
  static spawn(options: NodeProcessOptions): NodeProcess {
    const words = [
      ...(options.through ?? []),
      process.execPath,
      ...(options.nodeArguments ?? []),
      ...commandLine(options),
    ]
    const [program = process.execPath, ...parameters] = words
    const child = spawn(program, parameters, {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...process.env, ...options.environment },
    })
    return new NodeProcess(options, child)
  }

  /** Ends the process at once, as a power cut of the process would, and waits for that. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL')
    await this.exited
  }

  /** Asks the process to end, once: the same signal for a second time would cut it short. Resolves when it has ended. */
  stop(): Promise<void> {
    this.stopping ??= this.terminate()
    return this.stopping
  }

  /** Ends it after all when it does not end within ten seconds. */
  private async terminate(): Promise<void> {
    this.child.kill('SIGTERM')
    const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_MS_MAX)
    await this.exited
    clearTimeout(timer)
  }

  /** Waits until the node says that it listens. Rejects with the node's own last words when it does not. Call it once. */
  async ready(): Promise<void> {
    const { stdout, stderr } = this.child
    if (stdout === null || stderr === null) throw new Error('a child process without its pipes')
    this.forward(stderr, () => false)
    let timer: NodeJS.Timeout | undefined
    const first = new Promise<'ready'>((resolve) => {
      this.forward(stdout, (line) => {
        const said = readyLine(line, this.child.pid)
        if (said === null) return false
        this.told = said
        resolve('ready')
        return true
      })
    })
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), READY_MS_MAX)
    })
    const outcome = await Promise.race([first, late, this.exited])
    clearTimeout(timer)
    if (outcome === 'ready') return
    await this.kill()
    throw this.startFailure(outcome === 'late' ? `was not ready within ${READY_MS_MAX / 1000} s` : 'did not start')
  }

  private startFailure(what: string): CommandError {
    const words = this.tail.join('\n')
    const code = /\b([A-Z]+(?:_[A-Z]+)+)\b/.exec(words)?.[1] ?? null
    return new CommandError(
      EXIT.failure,
      `node ${this.options.id} ${what}`,
      words === '' ? 'It said nothing.' : words,
      code,
    )
  }

  /** Passes lines on, but for the one that `swallow` keeps (asked until then). */
  private forward(stream: Readable, swallow: (line: string) => boolean): void {
    let swallowed = false
    createInterface({ input: stream }).on('line', (line) => {
      if (!swallowed) {
        swallowed = swallow(line)
        if (swallowed) return
      }
      this.tail.push(line)
      if (this.tail.length > TAIL_LINES_MAX) this.tail.shift()
      this.options.onLine?.(line)
    })
  }
}

/** Of the line that says that a node is ready. */
interface ReadyLine {
  readonly httpAddress: string | null
}

/** What `holdfast start --json` prints once it listens; a module of the user's may have printed before it. */
function readyLine(line: string, pid: number | undefined): ReadyLine | null {
  try {
    const told: unknown = JSON.parse(line)
    if (typeof told !== 'object' || told === null || !('pid' in told) || told.pid !== pid) return null
    return { httpAddress: 'httpAddress' in told && typeof told.httpAddress === 'string' ? told.httpAddress : null }
  } catch {
    return null
  }
}

/** The arguments after `node`: what a person would type to start this node alone. */
export function commandLine(options: NodeProcessOptions): string[] {
  return [
    executablePath(),
    options.joins === true ? 'join' : 'start',
    ...['--id', options.id],
    ...['--listen', options.address],
    ...['--peers', options.members],
    ...['--data', options.dataDirectory],
    ...(options.http === undefined ? [] : ['--http', options.http]),
    ...(options.machines === undefined ? [] : ['--machines', options.machines]),
    '--json',
  ]
}
