import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { arch, platform } from 'node:os'
import { join } from 'node:path'
import { closedLoop, type LoopResult } from '../closed-loop.ts'
import { freePort } from './free-port.ts'
import { packagesOf } from './packages.ts'
import { within } from './within.ts'

const READY_MS_MAX = 60_000
const BOOKINGS = 100_000

/**
 * One Restate server as it comes (its own log on this disk, fsync on), and one process with the service. This process is the
 * load generator: HTTP on kept connections, one per call in flight, each call with an idempotency key of its own.
 */
export class Restate {
  private readonly processes: readonly ChildProcess[]
  private readonly ingress: number
  private readonly agent = new Agent({ keepAlive: true })
  private calls = 0

  private constructor(processes: readonly ChildProcess[], ingress: number) {
    this.processes = processes
    this.ingress = ingress
  }

  /** Where its packages are; Skipped where they are not installed. */
  static find(): string {
    return packagesOf('restate')
  }

  /** `directory` exists and is left for the caller to remove. Rejects with Skipped where its packages are not installed. */
  static async start(directory: string): Promise<Restate> {
    const folder = Restate.find()
    const [ingress, admin, peers, service] = [await freePort(), await freePort(), await freePort(), await freePort()]
    const server = spawn(
      join(folder, 'node_modules', '@restatedev', `restate-server-${platform()}-${arch()}`, 'bin', 'restate-server'),
      ['--base-dir', join(directory, 'restate'), '--node-name', 'bench', '--no-logo', '--log-filter', 'error'],
      { stdio: 'ignore', cwd: directory, env: settings({ ingress, admin, peers }) },
    )
    const handlers = fork(join(import.meta.dirname, 'restate-service.js'), [folder, String(service)], {
      env: { ...process.env, NODE_ENV: 'production', RESTATE_LOGGING: 'ERROR' },
    })
    const started = new Restate([server, handlers], ingress)
    try {
      await Promise.race([once(handlers, 'message'), failed(handlers, 'its service'), failed(server, 'restate-server')])
      await registered(admin, service)
      // The first call waits until all partitions have a leader.
      await within(READY_MS_MAX, () => started.call(0))
      return started
    } catch (error) {
      await started.stop()
      throw error
    }
  }

  get pids(): readonly number[] {
    return this.processes.flatMap(({ pid }) => pid ?? [])
  }

  /** Callbacks, so many in flight, for so many seconds after a warm-up of a quarter of that. */
  callbacks(inFlight: number, seconds: number): Promise<LoopResult> {
    const send = (_lane: number, done: (ok: boolean) => void): void => {
      this.calls += 1
      this.call(this.calls).then(
        () => done(true),
        () => done(false),
      )
    }
    return closedLoop({ count: inFlight, send }, { warmUpMs: seconds * 250, measureMs: seconds * 1000 })
  }

  async stop(): Promise<void> {
    this.agent.destroy()
    const running = this.processes.filter((child) => child.exitCode === null && child.signalCode === null)
    const ends = running.map((child) => once(child, 'exit'))
    for (const child of running) child.kill('SIGKILL')
    await Promise.all(ends)
  }

  private call(number: number): Promise<void> {
    const body = JSON.stringify({ receipt: `R${number}`, at: Date.now() })
    const path = `/booking/${1 + (number % BOOKINGS)}/callback`
    const headers = { 'content-type': 'application/json', 'idempotency-key': `ws_CO_${number}` }
    return post({ port: this.ingress, path, headers, body, agent: this.agent })
  }
}

function settings(ports: { ingress: number; admin: number; peers: number }): NodeJS.ProcessEnv {
  return {
    ...process.env,
    RESTATE_LISTEN_MODE: 'tcp',
    RESTATE_BIND_IP: '127.0.0.1',
    RESTATE_BIND_PORT: String(ports.peers),
    RESTATE_INGRESS__BIND_PORT: String(ports.ingress),
    RESTATE_ADMIN__BIND_PORT: String(ports.admin),
    RESTATE_DISABLE_TELEMETRY: 'true',
  }
}

async function registered(admin: number, service: number): Promise<void> {
  const body = JSON.stringify({ uri: `http://127.0.0.1:${service}` })
  const headers = { 'content-type': 'application/json' }
  await within(READY_MS_MAX, () => post({ port: admin, path: '/deployments', headers, body, agent: new Agent() }))
}

interface Post {
  readonly port: number
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly agent: Agent
}

function post({ port, path, headers, body, agent }: Post): Promise<void> {
  return new Promise((resolve, reject) => {
    const call = request({ host: '127.0.0.1', port, path, method: 'POST', headers, agent }, (response) => {
      const { statusCode = 0 } = response
      response.resume()
      response.on('error', reject)
      response.on('end', () =>
        statusCode < 300 ? resolve() : reject(new Error(`Restate answered ${statusCode} to ${path}`)),
      )
    })
    call.on('error', reject)
    call.end(body)
  })
}

async function failed(child: ChildProcess, what: string): Promise<never> {
  const [code] = await Promise.race([once(child, 'exit'), once(child, 'error')])
  throw new Error(`${what} ended: ${String(code)}`)
}
