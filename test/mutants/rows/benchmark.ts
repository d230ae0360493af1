import type { Mutant } from '../mutant.ts'

/** What the benchmark of faults must find in real processes that were compiled with it (faults.md §5.1). */
export const BENCHMARK: readonly Mutant[] = [
  {
    id: 'benchmark/acknowledged-before-sync',
    breaks: 'what is to be synced is acknowledged at once, and not synced',
    file: 'src/storage/disk/node-disk.ts',
    find: 'fs.fdatasync(this.descriptor, (error) => {',
    replace: 'fs.fstat(this.descriptor, (error) => {',
    caughtBy: { kind: 'benchmark', faults: ['power-loss-all'], trials: 2 },
  },
]
