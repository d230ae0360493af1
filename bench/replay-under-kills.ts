import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { print, printJson, say, withCommas } from '../src/cli/terminal/output.ts'
import { Progress } from '../src/cli/terminal/progress.ts'
import type { ReplayProgress } from '../src/cli/payments/replay-run.ts'
import { compareReplays, type ReplayComparison } from './replay-comparison.ts'

/**
 * `npm run -s replay-under-kills -- --count 20000 --json`: a file of payment callbacks against three processes while the
 * leader is killed five times, compared with an uninterrupted run. Exit code 0 when totals and state hashes are equal.
 */
const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '20000' },
    seed: { type: 'string', default: '1' },
    kills: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  },
})
const directory = await mkdtemp(join(tmpdir(), 'holdfast-replay-'))
try {
  const [count, seed, kills] = [wholeNumber('count'), wholeNumber('seed'), wholeNumber('kills')]
  const comparison = await compareReplays({ count, seed, kills, directory, progress: progressBars() })
  if (values.json) printJson(resultOf(comparison))
  else print(summary(comparison))
  const { killed, equalTotals, equalHashes } = comparison
  process.exitCode = equalTotals && equalHashes && killed.leaderKills === kills ? 0 : 1
} finally {
  await rm(directory, { recursive: true, force: true })
}

function wholeNumber(name: 'count' | 'seed' | 'kills'): number {
  const value = Number(values[name])
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw new Error(`--${name} must be a whole number`)
}

function resultOf({ killed, uninterrupted, equalTotals, equalHashes }: ReplayComparison): object {
  return {
    ...killed.counted,
    stateHash: killed.agreed?.stateHash ?? null,
    appliedIndex: killed.agreed?.index ?? null,
    totals: killed.totals,
    leaderKills: killed.leaderKills,
    equalTotals,
    equalHashes,
    seconds: killed.seconds,
    secondsUninterrupted: uninterrupted.seconds,
  }
}

function summary({ killed, uninterrupted, equalTotals, equalHashes }: ReplayComparison): string {
  const { received, applied, replayed } = killed.counted
  const counts = `${withCommas(received)} callbacks: ${withCommas(applied)} applied, ${withCommas(replayed)} duplicates`
  const times = `${killed.seconds.toFixed(1)} s with ${killed.leaderKills} leaders killed, ${uninterrupted.seconds.toFixed(1)} s without`
  return [
    counts,
    times,
    `totals ${equalTotals ? 'equal' : 'DIFFER'}, state hashes ${equalHashes ? 'equal' : 'DIFFER'}`,
  ].join('\n')
}

/** One bar for each phase of each run, on stderr. */
function progressBars(): (run: string, progress: ReplayProgress) => void {
  let bar: Progress | null = null
  let shown = ''
  return (run, { phase, done, total }) => {
    const title = `${run}: ${phase}`
    if (title !== shown) {
      bar?.finish()
      say(title)
      bar = new Progress(phase, total)
      shown = title
    }
    bar?.update(done)
  }
}
