import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Damage } from './cases.ts'

const READS = 'read,pread64,readv,preadv,preadv2,mmap'
const WRITES = 'write,pwrite64,writev,pwritev,pwritev2,fdatasync,fsync,ftruncate'

/** What `strace` is told: calls of one kind on these paths fail. */
export function injectionOf(damage: Damage, paths: readonly string[]): readonly string[] {
  const calls = damage === 'eio-read' ? READS : WRITES
  const error = damage === 'enospc' ? 'ENOSPC' : 'EIO'
  const filters = paths.flatMap((path) => ['-P', path])
  return ['-f', '--seccomp-bpf', ...filters, '-e', `trace=${calls}`, '-e', `inject=${calls}:error=${error}`]
}

/** Program and arguments before a node's own: it is the process that is spawned, and strace watches it from aside. */
export function injectedFromTheStart(damage: Damage, paths: readonly string[]): readonly string[] {
  return ['strace', '-D', '-q', '-o', '/dev/null', ...injectionOf(damage, paths)]
}

/** Fails the calls of a process that runs. */
export class Injection {
  private readonly child: ChildProcess

  private constructor(child: ChildProcess) {
    this.child = child
  }

  /** Resolves once it holds. */
  static async into(pid: number, damage: Damage, paths: readonly string[]): Promise<Injection> {
    // Without seccomp filters, which cannot be put on a process that runs.
    const words = injectionOf(damage, paths).filter((word) => word !== '--seccomp-bpf')
    const child = spawn('strace', [...words, '-o', '/dev/null', '-p', String(pid)], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const injection = new Injection(child)
    const { stderr } = child
    if (stderr === null) throw new Error('a child process without its pipe')
    const attached = new Promise<void>((resolve) => {
      createInterface({ input: stderr }).on('line', (line) => {
        if (line.includes('attached')) resolve()
      })
    })
    await Promise.race([attached, once(child, 'exit')])
    return injection
  }

  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    const gone = once(this.child, 'exit')
    this.child.kill('SIGINT')
    await gone
  }
}
