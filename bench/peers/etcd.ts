import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from './free-port.ts'
import { program, Skipped } from './programs.ts'
import { within } from './within.ts'

const run = promisify(execFile)

const INSTALL = 'Debian: apt-get install etcd-server nghttp2-client'
const READY_MS_MAX = 30_000
const KEY = 'k'

/** One measurement of etcd: reads, or puts. */
export interface EtcdReads {
  readonly perSecond: number
  readonly failures: number
}

/** One of its processes. */
export interface EtcdMember {
  readonly name: string
  readonly clientPort: number
  readonly peerPort: number
}

/**
 * Three etcd members on loopback, as they come, each in a directory below `directory`. They are asked by `h2load`: a prepared
 * gRPC body, so that its load generator costs less than any client library of etcd's would.
 */
export class Etcd {
  private readonly directory: string
  private readonly h2load: string
  private readonly processes: Map<string, ChildProcess>
  private readonly members: readonly EtcdMember[]
  private readonly startMember: (member: EtcdMember) => ChildProcess

  private constructor(
    directory: string,
    h2load: string,
    members: readonly EtcdMember[],
    startMember: (member: EtcdMember) => ChildProcess,
  ) {
    this.directory = directory
    this.h2load = h2load
    this.members = members
    this.startMember = startMember
    this.processes = new Map(members.map((member) => [member.name, startMember(member)]))
  }

  /** Rejects with Skipped where etcd or h2load is not installed. */
  static async start(directory: string): Promise<Etcd> {
    const [etcd, h2load] = ['etcd', 'h2load'].map((name) => program(name, { folders: [], install: INSTALL }))
    if (etcd === undefined || h2load === undefined) throw new Skipped(INSTALL)
    const members: EtcdMember[] = []
    for (const name of ['e1', 'e2', 'e3'])
      members.push({ name, clientPort: await freePort(), peerPort: await freePort() })
    const initial = members.map(({ name, peerPort }) => `${name}=http://127.0.0.1:${peerPort}`).join(',')
    const started = new Etcd(directory, h2load, members, (member) => startMember(etcd, directory, member, initial))
    try {
      await started.ready()
      return started
    } catch (error) {
      await started.stop()
      throw error
    }
  }

  /** Or why it is skipped. */
  static async startOrSkip(directory: string): Promise<Etcd | string> {
    try {
      return await Etcd.start(directory)
    } catch (error) {
      if (error instanceof Skipped) return error.message
      throw error
    }
  }

  /**
   * Linearizable reads (`Range` as it comes) of one key for so many seconds after a warm-up of a quarter of that: `inFlight` on
   * 4 connections to the leader.
   */
  reads(inFlight: number, seconds: number): Promise<EtcdReads> {
    return this.load('Range', [field(1, Buffer.from(KEY))], { inFlight, seconds, connections: 4 })
  }

  /** Puts of 128 bytes, likewise; at most 4 connections. */
  puts(inFlight: number, seconds: number): Promise<EtcdReads> {
    const fields = [field(1, Buffer.from(KEY)), field(2, Buffer.alloc(128, 'v'))]
    return this.load('Put', fields, { inFlight, seconds, connections: Math.min(4, inFlight) })
  }

  private async load(
    method: 'Range' | 'Put',
    fields: readonly Buffer[],
    { inFlight, seconds, connections }: { inFlight: number; seconds: number; connections: number },
  ): Promise<EtcdReads> {
    const body = join(this.directory, method)
    writeFileSync(body, frame(Buffer.concat(fields)))
    const leader = await this.leader()
    const { stdout } = await run(
      this.h2load,
      [
        ...['-D', String(seconds), '--warm-up-time', String(Math.max(1, Math.round(seconds / 4)))],
        ...['-c', String(connections), '-m', String(Math.ceil(inFlight / connections)), '-t', '1', '-d', body],
        ...['-H', 'content-type: application/grpc', '-H', 'te: trailers'],
        `http://127.0.0.1:${leader.clientPort}/etcdserverpb.KV/${method}`,
      ],
      { maxBuffer: 1 << 24 },
    )
    const perSecond = Number(/finished in .*?, ([\d.]+) req\/s/.exec(stdout)?.[1] ?? Number.NaN)
    const failures = Number(/(\d+) failed, (\d+) errored/.exec(stdout)?.[1] ?? Number.NaN)
    if (!Number.isFinite(perSecond) || !Number.isFinite(failures)) throw new Error(`h2load said: ${stdout}`)
    return { perSecond: Math.round(perSecond), failures }
  }

  /** Addresses for clients, `http://host:port`. */
  get endpoints(): readonly string[] {
    return this.members.map(({ clientPort }) => `http://127.0.0.1:${clientPort}`)
  }

  /** `kill -9`; resolves when the process is gone. */
  async kill({ name }: EtcdMember): Promise<void> {
    const child = this.processes.get(name)
    if (child === undefined) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }

  /** Starts it again on its directory; resolves when it answers. */
  async restart(member: EtcdMember): Promise<void> {
    this.processes.set(member.name, this.startMember(member))
    await within(READY_MS_MAX, () => this.call(member, 'maintenance/status', {}))
  }

  async stop(): Promise<void> {
    const running = [...this.processes.values()].filter((child) => child.exitCode === null && child.signalCode === null)
    const ends = running.map((child) => once(child, 'exit'))
    for (const child of running) child.kill('SIGKILL')
    await Promise.all(ends)
  }

  /** Waits until a value is written: then there is a leader, and something to read. */
  private async ready(): Promise<void> {
    await within(READY_MS_MAX, () =>
      this.call(this.members[0], 'kv/put', { key: base64(KEY), value: base64('v'.repeat(128)) }),
    )
  }

  /** Whoever leads; waits for one. */
  leader(): Promise<EtcdMember> {
    return within(READY_MS_MAX, async () => {
      for (const member of this.members) {
        const status = await this.call(member, 'maintenance/status', {})
        if (status.leader !== undefined && status.leader === status.header?.member_id) return member
      }
      throw new Error('etcd has no leader')
    })
  }

  private async call(member: EtcdMember | undefined, path: string, body: object): Promise<EtcdStatus> {
    const response = await fetch(`http://127.0.0.1:${member?.clientPort}/v3/${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
    })
    if (!response.ok) throw new Error(`etcd answered ${response.status} to ${path}`)
    return (await response.json()) as EtcdStatus
  }
}

/** What its JSON gateway says of itself, as far as it is looked at. */
interface EtcdStatus {
  readonly leader?: string
  readonly header?: { readonly member_id?: string }
}

function startMember(etcd: string, directory: string, member: EtcdMember, initial: string): ChildProcess {
  const { name, clientPort, peerPort } = member
  const [client, peer] = [`http://127.0.0.1:${clientPort}`, `http://127.0.0.1:${peerPort}`]
  const flags = [
    ...['--name', name, '--data-dir', join(directory, name)],
    ...['--listen-client-urls', client, '--advertise-client-urls', client],
    ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer],
    ...['--initial-cluster', initial, '--initial-cluster-token', 'bench', '--initial-cluster-state', 'new'],
    ...['--log-level', 'error'],
  ]
  return spawn(etcd, flags, { stdio: 'ignore', cwd: directory })
}

/** A message of gRPC: not compressed, its length, its bytes. */
function frame(message: Buffer): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}

/** A field of protobuf that holds bytes, fewer than 16 KiB. */
function field(number: number, bytes: Buffer): Buffer {
  const length = bytes.length < 128 ? [bytes.length] : [(bytes.length & 127) | 128, bytes.length >> 7]
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), bytes])
}

const base64 = (text: string): string => Buffer.from(text).toString('base64')
