import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The last line that runs on Node 20. Installed on demand, beside the kept results: nobody else needs their 100 MB. */
const PACKAGES = ['@stryker-mutator/core@9.6.1', '@stryker-mutator/vitest-runner@9.6.1', 'typescript@5.9.3'] as const
const TEST_MS_MAX = 60_000

/** A change that no test noticed, as people look for it. */
export interface Survivor {
  readonly line: number
  readonly operator: string
  readonly replacement: string
  /** Whether any test runs that line at all. */
  readonly covered: boolean
}

/** What became of the changes of one file. `noticed` are those by which a test failed, or ran for ever. */
export interface FileScore {
  readonly file: string
  readonly changes: number
  readonly noticed: number
  readonly survivors: readonly Survivor[]
}

interface Report {
  readonly files: {
    readonly [file: string]: {
      readonly mutants: readonly {
        readonly status: string
        readonly mutatorName: string
        readonly replacement?: string
        readonly location: { readonly start: { readonly line: number } }
      }[]
    }
  }
}

/** Stryker with its runner for Vitest, in a folder of its own. */
export class Stryker {
  private readonly root: string
  private readonly folder: string

  constructor(root: string) {
    this.root = root
    this.folder = join(root, 'data', 'stryker')
  }

  /** Throws where the registry is not to be reached. */
  install(): void {
    const own = JSON.parse(readFileSync(join(this.root, 'package.json'), 'utf8')) as {
      readonly devDependencies: { readonly [name: string]: string }
    }
    const wanted = [...PACKAGES, `vitest@${own.devDependencies['vitest']}`]
    const note = join(this.folder, 'installed.json')
    if (existsSync(note) && readFileSync(note, 'utf8') === JSON.stringify(wanted)) return
    mkdirSync(this.folder, { recursive: true })
    writeFileSync(join(this.folder, 'package.json'), '{"private":true}')
    const npm = spawnSync('npm', ['install', '--no-save', '--no-audit', '--no-fund', ...wanted], {
      cwd: this.folder,
      encoding: 'utf8',
    })
    if (npm.status !== 0) throw new Error(`npm could not install Stryker: ${npm.stderr.trim().split('\n').at(-1)}`)
    writeFileSync(note, JSON.stringify(wanted))
  }

  /** Makes every change that its operators know in that file, one at a time, and runs the tests that reach it. */
  async run(file: string, tests: string, { jobs, signal }: { readonly jobs: number; readonly signal: AbortSignal }) {
    const [vitest, config, report] = ['vitest.config.mjs', 'config.json', 'report.json'].map((name) =>
      join(this.folder, name),
    ) as [string, string, string]
    const test = { include: [`${tests}/**/*.test.ts`], pool: 'forks', testTimeout: TEST_MS_MAX }
    writeFileSync(vitest, `export default ${JSON.stringify({ test })}\n`)
    writeFileSync(config, JSON.stringify(this.configuration({ file, vitest, report, jobs })))
    const stryker = join(this.folder, 'node_modules/@stryker-mutator/core/bin/stryker.js')
    const { code, said } = await finished(process.execPath, [stryker, 'run', config], { cwd: this.root, signal })
    if (code !== 0) throw new Error(`Stryker ended with ${code} at ${file}: ${said.slice(-2000)}`)
    return scoreOf(file, JSON.parse(readFileSync(report, 'utf8')) as Report)
  }

  private configuration(given: { file: string; vitest: string; report: string; jobs: number }): object {
    const { file, vitest, report, jobs } = given
    const incrementalFile = join(this.folder, 'kept', `${file}.json`)
    mkdirSync(dirname(incrementalFile), { recursive: true })
    return {
      plugins: [join(this.folder, 'node_modules/@stryker-mutator/vitest-runner/dist/src/index.js')],
      testRunner: 'vitest',
      vitest: { configFile: vitest, related: false },
      mutate: [file],
      coverageAnalysis: 'perTest',
      ...{ incremental: true, incrementalFile, concurrency: jobs },
      ...{ reporters: ['json'], jsonReporter: { fileName: report } },
      ...{ tempDirName: join(this.folder, 'tmp'), disableTypeChecks: false, tsconfigFile: 'none' },
      ignorePatterns: ['/data', '/dist', '/.mutants', '/docs', '/bench/results'],
    }
  }
}

function scoreOf(file: string, { files }: Report): FileScore {
  const mutants = Object.values(files).flatMap((found) => found.mutants)
  const counted = mutants.filter(({ status }) => !['Ignored', 'CompileError', 'RuntimeError'].includes(status))
  const survivors = counted
    .filter(({ status }) => status === 'Survived' || status === 'NoCoverage')
    .map(({ status, mutatorName, replacement = '', location }) => ({
      ...{ line: location.start.line, operator: mutatorName, replacement, covered: status === 'Survived' },
    }))
  return { file, changes: counted.length, noticed: counted.length - survivors.length, survivors }
}

function finished(
  command: string,
  args: readonly string[],
  { cwd, signal }: { readonly cwd: string; readonly signal: AbortSignal },
): Promise<{ readonly code: number | null; readonly said: string }> {
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  const parts: string[] = []
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (part: string) => parts.push(part))
  signal.addEventListener('abort', () => child.kill('SIGTERM'), { once: true })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, said: parts.join('') }))
  })
}
