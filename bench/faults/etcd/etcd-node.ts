import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import type { NodePlace, RunningNode, Spawn } from '../world/node-seat.ts'
import { EtcdApi } from './etcd-api.ts'

const READY_MS_MAX = 60_000
const STOP_MS_MAX = 10_000
const LOOK_AGAIN_MS = 20
const CALL_MS_MAX = 1_000
const TAIL_CHARACTERS = 2_000

/** Starts members of one etcd as they come, on places of nodes: `members` is `id=host:port,…`. Peers use the next port. */
export function etcdOn(program: string, members: string): Spawn {
  const peers = members.split(',').map((member) => {
    const [id, endpoint = ''] = member.split('=')
    return `${id}=http://${peerOf(endpoint)}`
  })
  return (place, environment) => new EtcdNode(place, start(program, peers.join(','), place, environment))
}

function start(
  program: string,
  initial: string,
  { id, endpoint, dataDirectory, through }: NodePlace,
  environment: { readonly [name: string]: string },
): ChildProcess {
  const [client, peer] = [`http://${endpoint}`, `http://${peerOf(endpoint)}`]
  const flags = [
    ...['--name', id, '--data-dir', dataDirectory],
    ...['--listen-client-urls', client, '--advertise-client-urls', client],
    ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer],
    ...['--initial-cluster', initial, '--initial-cluster-token', 'bench', '--initial-cluster-state', 'new'],
    ...['--log-level', 'error', '--logger', 'zap'],
  ]
  const [name = program, ...parameters] = [...through, program, ...flags]
  return spawn(name, parameters, { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ...environment } })
}

function peerOf(endpoint: string): string {
  const at = endpoint.lastIndexOf(':')
  return `${endpoint.slice(0, at)}:${Number(endpoint.slice(at + 1)) + 1}`
}

/** A member's process. */
class EtcdNode implements RunningNode {
  readonly pid: number
  readonly exited: RunningNode['exited']
  private readonly endpoint: string
  private readonly child: ChildProcess
  private tail = ''
  private over = false

  constructor({ endpoint }: NodePlace, child: ChildProcess) {
    this.endpoint = endpoint
    this.child = child
    this.pid = child.pid ?? -1
    this.exited = new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })))
    void this.exited.then(() => (this.over = true))
    child.stderr?.on('data', (text: Buffer) => (this.tail = `${this.tail}${text.toString()}`.slice(-TAIL_CHARACTERS)))
  }

  /** It answers what it is, however the cluster is. */
  async ready(): Promise<void> {
    const api = new EtcdApi()
    const end = performance.now() + READY_MS_MAX
    while (performance.now() < end && !this.over) {
      const answer = await api.call(this.endpoint, 'maintenance/status', {}, CALL_MS_MAX).catch(() => null)
      if (answer !== null) return api.close()
      await pause(LOOK_AGAIN_MS)
    }
    throw new Error(`etcd ${this.over ? 'ended' : 'did not answer'}: ${this.tail.trim().split('\n').at(-1) ?? ''}`)
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL')
    await this.exited
  }

  async stop(): Promise<void> {
    this.child.kill('SIGTERM')
    const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_MS_MAX)
    await this.exited
    clearTimeout(timer)
  }
}
