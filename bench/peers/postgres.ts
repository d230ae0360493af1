import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { program, Skipped, versionFolders } from './programs.ts'

const run = promisify(execFile)

const FOLDERS = versionFolders('/usr/lib/postgresql', 'bin')
const INSTALL = 'Debian: apt-get install postgresql postgresql-contrib'
const READY_MS_MAX = 60_000
const STOP_MS_MAX = 20_000
const USER = 'bench'
const DATABASE = 'postgres'

/** Whom a server runs as that refuses to be root: `spawn` and `execFile` take it as it is. */
interface Owner {
  readonly uid?: number
  readonly gid?: number
}

/**
 * One PostgreSQL server in a directory of its own, as it comes: every commit is on disk before it is answered
 * (synchronous_commit and fsync on), no replica. It listens on a Unix socket alone. Only room is made for it: connections and
 * shared buffers, and a WAL large enough that no checkpoint falls into a measurement.
 */
export class Postgres {
  readonly version: string
  private readonly server: ChildProcess
  private readonly sockets: string

  private constructor(server: ChildProcess, sockets: string, version: string) {
    this.server = server
    this.sockets = sockets
    this.version = version
  }

  /** Skipped where it is not installed. */
  static find(): { readonly initdb: string; readonly postgres: string } {
    const find = { folders: FOLDERS, install: INSTALL }
    return { initdb: program('initdb', find), postgres: program('postgres', find) }
  }

  /** `directory` is made, and left for the caller to remove. Rejects with Skipped where PostgreSQL is not installed. */
  static async start(directory: string, connections: number): Promise<Postgres> {
    const { initdb, postgres } = Postgres.find()
    const owner = unprivileged()
    // A socket's path may have 107 bytes, so it is not in `directory`.
    const sockets = mkdtempSync(join(tmpdir(), 'holdfast-pg-'))
    mkdirSync(directory, { recursive: true })
    for (const folder of [sockets, directory]) {
      if (owner.uid !== undefined && owner.gid !== undefined) chownSync(folder, owner.uid, owner.gid)
      chmodSync(folder, 0o700)
    }
    try {
      const encoding = ['--encoding', 'UTF8', '--locale', 'C']
      await run(initdb, ['-D', directory, '-U', USER, '--auth=trust', ...encoding], { ...owner, cwd: directory })
      const { stdout } = await run(postgres, ['--version'])
      const server = spawn(postgres, ['-D', directory, ...settings(sockets, connections)], {
        ...owner,
        cwd: directory,
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      const started = new Postgres(server, sockets, stdout.trim())
      await started.ready()
      return started
    } catch (error) {
      rmSync(sockets, { recursive: true, force: true })
      throw error
    }
  }

  get pid(): number | undefined {
    return this.server.pid
  }

  /** What a client connects to: a folder with a socket in place of a host. */
  get address(): { readonly host: string; readonly user: string; readonly database: string } {
    return { host: this.sockets, user: USER, database: DATABASE }
  }

  /** What `psql` prints for these statements, without headings. */
  async query(sql: string): Promise<string> {
    const psql = program('psql', { folders: FOLDERS, install: INSTALL })
    const options = [
      '--no-psqlrc',
      '--quiet',
      '--tuples-only',
      '--no-align',
      '--set',
      'ON_ERROR_STOP=1',
      '--command',
      sql,
    ]
    return (await run(psql, options, { env: this.environment() })).stdout.trim()
  }

  /** What `pgbench` prints. Rejects when a client of it failed. */
  async pgbench(parameters: readonly string[], cwd: string): Promise<string> {
    const pgbench = program('pgbench', { folders: FOLDERS, install: INSTALL })
    const { stdout } = await run(pgbench, parameters, { cwd, env: this.environment(), maxBuffer: 1 << 24 })
    return stdout
  }

  /** Ends the server's process; its directory stays. */
  async stop(): Promise<void> {
    const exited = this.server.exitCode === null && this.server.signalCode === null ? once(this.server, 'exit') : null
    // A fast shutdown: sessions are cut, what was committed is kept.
    this.server.kill('SIGINT')
    if (exited !== null) {
      const timer = setTimeout(() => this.server.kill('SIGKILL'), STOP_MS_MAX)
      await exited
      clearTimeout(timer)
    }
    rmSync(this.sockets, { recursive: true, force: true })
  }

  private async ready(): Promise<void> {
    let said = ''
    this.server.stderr?.on('data', (chunk) => {
      said = `${said}${chunk}`.slice(-2_000)
    })
    const ready = program('pg_isready', { folders: FOLDERS, install: INSTALL })
    for (let waitedMs = 0; waitedMs < READY_MS_MAX; waitedMs += 100) {
      if (this.server.exitCode !== null) throw new Error(`postgres ended before it was ready: ${said}`)
      if (
        await run(ready, [], { env: this.environment() }).then(
          () => true,
          () => false,
        )
      )
        return
      await pause(100)
    }
    await this.stop()
    throw new Error(`postgres was not ready within ${READY_MS_MAX / 1000} s: ${said}`)
  }

  /** Where its own programs find it. */
  private environment(): NodeJS.ProcessEnv {
    return { ...process.env, PGHOST: this.sockets, PGUSER: USER, PGDATABASE: DATABASE }
  }
}

function settings(sockets: string, connections: number): string[] {
  const values = {
    listen_addresses: '',
    unix_socket_directories: sockets,
    max_connections: connections,
    shared_buffers: '512MB',
    max_wal_size: '8GB',
    checkpoint_timeout: '30min',
    fsync: 'on',
    synchronous_commit: 'on',
  }
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}

/** PostgreSQL refuses to run as root: then it runs as the user that its package made, or as nobody. */
function unprivileged(): Owner {
  if (process.getuid?.() !== 0) return {}
  for (const name of ['postgres', 'nobody']) {
    try {
      const id = (which: string): number =>
        Number(execFileSync('id', [which, name], { encoding: 'utf8', stdio: 'pipe' }))
      return { uid: id('-u'), gid: id('-g') }
    } catch {
      // The next one.
    }
  }
  throw new Skipped('PostgreSQL does not run as root, and there is no other user to run it as')
}
