import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** Never copied: packages are linked, the rest is nobody's source. */
const NOT_COPIED = new Set(['node_modules', '.git', 'coverage', 'data', 'results', '.setup.lock', '.mutants'])

/** A bug may have a test go on for ever, which stands in the way of its own time limit. */
const PATIENCE_MS = 15 * 60_000

/** How the tests of some files ended. */
export interface TestOutcome {
  readonly kind: 'passed' | 'failed' | 'skipped' | 'broken'
  /** The first test that failed, the reason of a skip, or what the runner said. */
  readonly says: string
}

/** A copy of the checkout in which tests are run, one bug after the other. What was compiled comes along. */
export class Copy {
  readonly path: string
  private child: ChildProcess | null = null
  private stopped = false

  constructor(root: string, path: string) {
    this.path = path
    const filter = (from: string): boolean => from === root || !NOT_COPIED.has(basename(from))
    // The set-up takes what is compiled for current by the times of the sources.
    cpSync(root, path, { recursive: true, preserveTimestamps: true, filter })
    symlinkSync(join(root, 'node_modules'), join(path, 'node_modules'))
  }

  /** Runs the test files, and stops at the first test that fails. */
  async test(files: readonly string[]): Promise<TestOutcome> {
    const report = join(this.path, '.test-report.json')
    rmSync(report, { force: true })
    const vitest = join(this.path, 'node_modules', 'vitest', 'vitest.mjs')
    // One worker: where two are at work, the report of a run that was ended by its first failure may not hold that failure.
    const how = ['--mode', 'planted', '--maxWorkers', '1', '--bail', '1']
    const options = ['--config', 'test/vitest.config.ts', ...how, '--reporter', 'json', '--outputFile', report]
    const said = await this.run([vitest, 'run', ...options, ...files])
    try {
      return outcomeOf(JSON.parse(readFileSync(report, 'utf8')) as Report)
    } catch {
      return { kind: 'broken', says: said.trim().split('\n').at(-1) ?? 'the test runner left no report' }
    }
  }

  private run(parameters: readonly string[]): Promise<string> {
    return new Promise((resolve) => {
      if (this.stopped) return
      // A group of its own: a worker that hangs is ended with its runner.
      // A run that stops at its first failure does not clean up: what it leaves goes with the copy.
      const env = { ...process.env, TMPDIR: dirname(this.path) }
      const child = spawn(process.execPath, parameters, {
        cwd: this.path,
        env,
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true,
      })
      this.child = child
      let said = ''
      const patience = setTimeout(() => {
        said += `\nno end within ${PATIENCE_MS / 60_000} minutes`
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
      }, PATIENCE_MS)
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (said += text.toString()))
      child.once('close', () => {
        clearTimeout(patience)
        this.child = null
        resolve(said)
      })
    })
  }

  /** Ends what runs in the copy, if anything does; resolves when it is gone. Nothing runs any more: later runs do not end. */
  async stop(): Promise<void> {
    const { child } = this
    this.stopped = true
    if (child === null) return
    const gone = once(child, 'close')
    child.kill('SIGTERM')
    await gone
  }
}

/** What is used of vitest's JSON report. */
interface Report {
  readonly numPassedTests: number
  readonly testResults: readonly {
    readonly name: string
    readonly status: string
    readonly message: string
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[]
  }[]
}

/** A file that does not even load, or compile, shows nothing: only a test that failed has noticed the bug. */
function outcomeOf(report: Report): TestOutcome {
  const results = report.testResults.flatMap((file) => file.assertionResults)
  const failed = results.find((result) => result.status === 'failed')
  if (failed !== undefined) return { kind: 'failed', says: failed.fullName }
  const broken = report.testResults.find((file) => file.status === 'failed')
  if (broken !== undefined)
    return { kind: 'broken', says: `${basename(broken.name)}: ${broken.message.split('\n')[0]}` }
  if (results.length === 0) return { kind: 'broken', says: 'there is no test in these files' }
  if (report.numPassedTests === 0) return { kind: 'skipped', says: 'every test of these files was skipped' }
  return { kind: 'passed', says: '' }
}
