import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** What must notice a planted bug. */
export type Catcher =
  /** At least one test of these files fails. A file whose tests spawn processes compiles them itself (`compileOnce`). */
  | { readonly kind: 'tests'; readonly files: readonly string[] }
  /** The simulator breaks an invariant within so many seeds, from 1 on. */
  | {
      readonly kind: 'simulator'
      readonly seeds: number
      readonly workload?: 'payments' | 'waits' | 'board' | 'schedules' | 'charts'
    }
  /** The benchmark of faults, of real processes, is not content after these faults, each made so often. */
  | { readonly kind: 'benchmark'; readonly faults: readonly string[]; readonly trials: number }

/** A planted bug: one exact replacement in the sources, made on a copy of the tree (faults.md §3). */
export interface Mutant {
  /** Unique, `suite/what-it-does`: the name that a report uses. */
  readonly id: string
  /** What goes wrong with it, as a clause: "a failed sync is reported as done". */
  readonly breaks: string
  /** Path from the top of the checkout. */
  readonly file: string
  /** Text that is in the file exactly once. */
  readonly find: string
  readonly replace: string
  readonly caughtBy: Catcher
}

/** The first part of a mutant's id. */
export function suiteOf(mutant: Mutant): string {
  return mutant.id.slice(0, mutant.id.indexOf('/'))
}

/** A sentence when the replacement no longer fits the text; null when it does. */
export function misfit(mutant: Mutant, source: string): string | null {
  const found = source.split(mutant.find).length - 1
  if (found !== 1) return `${mutant.id}: its text is in ${mutant.file} ${found} times, and must be there once.`
  return mutant.find === mutant.replace ? `${mutant.id} replaces its text by itself.` : null
}

/** Plants the bug in the tree at `root`; returns what takes it out again. Throws when the replacement no longer fits. */
export function plant(mutant: Mutant, root: string): () => void {
  const path = join(root, mutant.file)
  const source = readFileSync(path, 'utf8')
  const wrong = misfit(mutant, source)
  if (wrong !== null) throw new Error(wrong)
  writeFileSync(
    path,
    source.replace(mutant.find, () => mutant.replace),
  )
  return () => writeFileSync(path, source)
}
