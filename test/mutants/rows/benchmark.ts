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
  {
    id: 'benchmark/responses-not-restored',
    breaks: 'a node that loads a snapshot knows nothing of what it had answered',
    file: 'src/session/state/restore.ts',
    find: '      this.owner(FAMILY.response, key).page.addResponse(value as unknown as CachedResponse)\n      state.heldRows += 1\n',
    replace: '      this.owner(FAMILY.response, key)\n',
    caughtBy: { kind: 'benchmark', faults: ['kill-follower'], trials: 6 },
  },
]
