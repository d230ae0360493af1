import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const SOURCE = fileURLToPath(new URL('shim.c', import.meta.url))

type Operation = 'fdatasync' | 'fsync' | 'write' | 'rename'

/** What a call on a path that holds `text` does: fail, or, a write, do half of its work, none, or find a full disk half-way. */
interface Rule {
  readonly operation: Operation
  readonly does: 'EIO' | 'ENOSPC' | 'part' | 'nothing' | 'fills'
  readonly text: string
}

/** Why there is no shim on this machine, or null: a compiler and Linux are all it takes. */
export const NO_SHIM: string | null = whyNot()

/**
 * Counts the system calls of processes that are started with its environment, and fails those that its rules name; the
 * rules may change while a process runs (shim.c). Build one in `beforeAll`, remove it in `afterAll`.
 */
export class Shim {
  /** Where the process under test keeps its files: calls below it count. */
  readonly root: string
  private readonly directory: string

  constructor() {
    this.directory = realpathSync(mkdtempSync(join(tmpdir(), 'holdfast-shim-')))
    this.root = join(this.directory, 'root')
    mkdirSync(this.root)
    const built = spawnSync('cc', ['-shared', '-fPIC', '-O1', '-o', this.path('shim.so'), SOURCE, '-ldl'])
    if (built.status !== 0) throw new Error(`the shim does not compile: ${built.stderr.toString()}`)
    writeFileSync(this.path('log'), '')
  }

  environment(): { readonly [name: string]: string } {
    return {
      LD_PRELOAD: this.path('shim.so'),
      HOLDFAST_SHIM_ROOT: this.root,
      HOLDFAST_SHIM_LOG: this.path('log'),
      HOLDFAST_SHIM_RULES: this.path('rules'),
      // Calls through io_uring are none that a library could come before.
      UV_USE_IO_URING: '0',
    }
  }

  /** From the next call on these rules hold, and no others. */
  rule(...rules: readonly Rule[]): void {
    writeFileSync(this.path('rules.new'), rules.map(lineOf).join(''))
    renameSync(this.path('rules.new'), this.path('rules'))
  }

  /** The calls so far, in order, as `operation path`, the path from the root. */
  calls(): string[] {
    const lines = readFileSync(this.path('log'), 'utf8').split('\n').slice(0, -1)
    return lines.map((line) => line.replace(`${this.root}/`, ''))
  }

  /** How many calls so far are of that operation on paths that hold the text. */
  count(operation: Operation, text: string): number {
    return this.calls().filter((call) => call.startsWith(`${operation} `) && call.includes(text)).length
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true })
  }

  private path(name: string): string {
    return join(this.directory, name)
  }
}

/** The numbers of shim.c. */
export const ACTIONS = { ...constants.errno, part: -1, nothing: -2, fills: -3 }

function lineOf(rule: Rule): string {
  const { operation, does, text } = rule
  return `${operation} ${ACTIONS[does]} ${text}\n`
}

function whyNot(): string | null {
  if (process.platform !== 'linux') return 'system calls are counted and failed on Linux alone'
  const found = spawnSync('cc', ['--version'])
  return found.status === 0 ? null : 'there is no C compiler (cc), which the shim over system calls needs'
}
