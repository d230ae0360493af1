import { FaultSchedule, type Strike } from '../../sim/fault-schedule.ts'
import type { RunSeed } from './workloads.ts'

/**
 * Few of a failing seed's faults that suffice for it to fail by the same invariant: none of them can be left out. Null where
 * the seed does not fail. Halves first, then smaller parts (delta debugging), a run of the seed each.
 */
export async function shrink(
  run: RunSeed,
  seed: number,
): Promise<{ readonly faults: readonly Strike[]; readonly drawn: number; readonly runs: number } | null> {
  const attempt = async (kept: readonly number[] | null) => {
    const faults = new FaultSchedule(kept)
    const { failure } = await run(seed, { faults })
    return { invariant: failure === null ? null : invariantOf(failure), faults: faults.struck }
  }
  const whole = await attempt(null)
  if (whole.invariant === null) return null
  let [best, runs] = [whole.faults, 1]
  for (let size = Math.ceil(best.length / 2); size >= 1; ) {
    const before = best.length
    for (let from = 0; from < best.length; ) {
      const kept = best.filter((_, at) => at < from || at >= from + size)
      const { invariant, faults } = await attempt(kept.map(({ number }) => number))
      runs += 1
      // A seed that fails sooner has fewer faults than it may have.
      if (invariant === whole.invariant) best = faults
      else from += size
    }
    // One that could not be left out may be needless once another is gone.
    if (size > 1) size = Math.ceil(size / 2)
    else if (best.length === before) break
  }
  return { faults: best, drawn: whole.faults.length, runs }
}

/** The sentence of a violation, without the facts, which differ from run to run. */
function invariantOf(failure: string): string {
  return failure.split(': {')[0] ?? failure
}
