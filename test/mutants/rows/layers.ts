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
  {
    id: 'benchmark/reads-without-a-round',
    breaks: 'a leader answers reads without asking whether it still leads',
    file: 'src/raft/read-index.ts',
    find: 'return sequence !== null && (leader.progress.get(voter)?.followed ?? 0) > sequence',
    replace: 'return true',
    caughtBy: { kind: 'benchmark', faults: ['cut-leader', 'pause-leader'], trials: 4 },
  },
]

const BY_SEARCH = { kind: 'tests', files: ['test/explore/explore.test.ts'] } as const

/** Bugs that the exhaustive search finds, by the shortest way there is to each. */
export const EXPLORER: readonly Mutant[] = [
  {
    id: 'explorer/leader-counts-itself-before-its-disk',
    breaks: 'a leader counts itself for what its own disk does not hold yet',
    file: 'src/raft/commit.ts',
    find: 'voter === config.self ? disk.durableIndex',
    replace: 'voter === config.self ? state.lastIndex',
    caughtBy: BY_SEARCH,
  },
  {
    id: 'explorer/earlier-term-committed-by-counting',
    breaks: 'an entry of an earlier term is committed by counting (figure 8)',
    file: 'src/raft/commit.ts',
    find: '  if (index < role.firstOwnIndex) return false\n',
    replace: '',
    caughtBy: BY_SEARCH,
  },
  {
    id: 'explorer/last-index-acknowledged',
    breaks: 'a follower acknowledges the end of its log, and not what the message verified',
    file: 'src/raft/append-entries.ts',
    find: 'matchIndex: held(turn, request, lastNew) }',
    replace: 'matchIndex: turn.state.lastIndex }',
    caughtBy: BY_SEARCH,
  },
]
