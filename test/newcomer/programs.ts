import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { isAbsolute, join } from 'node:path'

const OF_NPM: readonly string[] = ['npm', 'npx']

/** What a program said when it ended by itself. */
export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Programs of a folder, as somebody at a terminal runs them; what still runs is killed by `killAll`, by its id. */
export class Programs {
  private readonly folder: string
  private readonly environment: NodeJS.ProcessEnv
  private readonly running = new Set<ChildProcess>()

  constructor(folder: string, environment: { readonly [name: string]: string } = {}) {
    this.folder = folder
    const own = Object.entries(process.env).filter(([name]) => !/^(?:HOLDFAST|VITEST|NODE_ENV$|npm_)/.test(name))
    this.environment = { ...Object.fromEntries(own), ...environment }
  }

  /** Runs a program of node_modules/.bin, or npm, until it ends. Rejects with what it said when its code is not 0. */
  async run(program: string, words: readonly string[]): Promise<string> {
    const { code, out, err } = await this.end(program, words)
    if (code === 0) return out
    throw new Error(`${program} ${words.join(' ')} ended with ${code}:\n${out}\n${err}`)
  }

  /** The same, whatever its code. */
  async end(program: string, words: readonly string[]): Promise<Ended> {
    const child = this.start(program, words)
    let [out, err] = ['', '']
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      out += text
    })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      err += text
    })
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('close', resolve)
      child.once('error', reject)
    })
    return { code, out, err }
  }

  /** Starts one that goes on, and resolves with the first lines of stdout. */
  async lines(
    program: string,
    words: readonly string[],
    count: number,
  ): Promise<{ child: ChildProcess; lines: string[] }> {
    const child = this.start(program, words)
    let err = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      err += text
    })
    const lines: string[] = []
    await new Promise<void>((resolve, reject) => {
      child.once('close', (code) => reject(new Error(`${program} ${words.join(' ')} ended with ${code}:\n${err}`)))
      child.once('error', reject)
      createInterface({ input: child.stdout ?? process.stdin }).on('line', (line) => {
        lines.push(line)
        if (lines.length === count) resolve()
      })
    })
    return { child, lines }
  }

  /** Asks a program to end, and waits for that; one that has ended already is not waited for. */
  async stop(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once('close', resolve))
    child.kill(signal)
    await ended
  }

  killAll(): void {
    for (const child of this.running) child.kill('SIGKILL')
  }

  private start(program: string, words: readonly string[]): ChildProcess {
    const path =
      isAbsolute(program) || OF_NPM.includes(program) ? program : join(this.folder, 'node_modules/.bin', program)
    const child = spawn(path, [...words], {
      cwd: this.folder,
      env: this.environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.running.add(child)
    child.once('close', () => this.running.delete(child))
    return child
  }
}
