import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageFacts } from '../../src/cli/package-root.ts'
import { printJson, say } from '../../src/cli/terminal/output.ts'
import { GROWTH, writeCurves } from '../growth/curves.ts'
import { countVerdicts, type Curves, reportMarkdown } from './markdown.ts'
import { PLAN } from './plan.ts'
import { runBench } from './run-bench.ts'
import { store, stored } from './stored.ts'
import type { ReportedBench } from './targets.ts'

export interface ReportFlags {
  readonly json: boolean
  /** Small settings, which say that everything runs, and nothing of speed. */
  readonly quick: boolean
  /** Benches to run; null: all. The others keep the results that are stored. */
  readonly only: readonly string[] | null
  /** Runs nothing: the report of the results in that directory; null: benches are run. */
  readonly from: string | null
  /** Where results, curves and the report are; null: `bench/results` of the checkout. */
  readonly out: string | null
}

/** Names of the benches that it may run. */
export const REPORTED: readonly string[] = PLAN.map(({ bench }) => bench)

/**
 * Runs the benches one after the other, stores each result as soon as it is there, and writes `bench/results/report.md` and the
 * curves of all that are stored. True when every bench that it ran said something.
 */
export async function report(flags: ReportFlags): Promise<boolean> {
  const directory = flags.from ?? flags.out ?? join(packageFacts().root, 'bench', 'results')
  const silent: string[] = []
  const ended = new AbortController()
  const end = (): void => ended.abort(new Error('the report was told to end'))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end)
  try {
    for (const planned of flags.from === null ? PLAN : []) {
      if (flags.only !== null && !flags.only.includes(planned.bench)) continue
      say(`${planned.bench}${flags.quick ? ', quick' : `, some ${planned.minutes} minutes`}`)
      const result = await runBench(planned, { isQuick: flags.quick, ended: ended.signal })
      if (result.result === null) silent.push(planned.bench)
      store(directory, result)
      write(directory)
    }
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, end)
  }
  const verdicts = write(directory)
  const path = `${directory}/report.md`
  if (flags.json) printJson({ report: path, verdicts, silent, ok: silent.length === 0 })
  else
    say(
      `${path}: ${Object.entries(verdicts)
        .map(([verdict, count]) => `${verdict} ${count}`)
        .join(', ')}`,
    )
  for (const bench of silent) say(`${bench} ended without a result`)
  return silent.length === 0
}

/** The report as the results are now. */
function write(directory: string): { readonly [verdict: string]: number } {
  mkdirSync(directory, { recursive: true })
  const results = (bench: ReportedBench) => stored(directory, bench)
  const growth = GROWTH.safeParse(results('growth')?.result)
  const curves: Curves = growth.success
    ? { growth: growth.data, files: writeCurves(growth.data, directory) }
    : { growth: null, files: [] }
  writeFileSync(`${directory}/report.md`, reportMarkdown(results, curves))
  return countVerdicts(results)
}
