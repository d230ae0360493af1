import { expect, test } from 'vitest'
import { runSeed } from '../../src/sim/run-seed.ts'

/**
 * Seeds that failed once, by what was wrong: bugs of the product or of the simulator. A change of what the simulator draws
 * or does makes another world of a seed, so a bug of the product has a test of its own besides.
 */
const KNOWN: readonly { readonly cause: string; readonly seeds: readonly number[] }[] = [
  {
    cause: 'the simulator left voters down before there was a Configuration, but bootstrap takes every one',
    seeds: [407, 3123, 3128],
  },
  {
    cause: "the SDK's open was too late when the first leader's median of clocks moved by minutes",
    seeds: [1576, 2434, 2537, 3471],
  },
  {
    // test/raft/scripts/28-vote-without-configuration.txt; test/node/bootstrap.test.ts
    cause:
      'a voter that the Configuration names granted nothing before it knew every initial voter, two of which were down',
    seeds: [2209, 2310, 2546, 2576, 2851, 2858, 3350, 3616, 4013, 4018, 4769, 4962, 5178],
  },
  {
    // test/sim/log-witness.test.ts
    cause: 'the simulator missed a durable entry that a write under way at the crash had truncated, as it may',
    seeds: [7187, 9710],
  },
  {
    // test/client/session/session-core.test.ts
    cause: "the SDK took its own attach, whose answer was lost with its leader, for somebody else's",
    seeds: [1011],
  },
  {
    // test/node/bootstrap.test.ts
    cause:
      'a voter agreed on a disk that had been replaced, after it had told the new one of itself, and refused its lead',
    seeds: [13710],
  },
  {
    // test/node/peers/peers.test.ts
    cause: 'a voter that had agreed on the disks of the others, and was away as they were replaced, refused who led',
    seeds: [855],
  },
  {
    // test/storage/opening/salvage.test.ts
    cause:
      'a damaged log that was opened twice before anything was written lost the number and the vote of its newest write',
    seeds: [1501, 1996, 2104, 2176],
  },
  {
    // test/node/propose/first-versions.test.ts
    cause: 'a first leader that failed left the versions of some machines in the log, and the others were not active',
    seeds: [2107, 6037, 10792],
  },
  {
    // test/sim/checkers/invariants.test.ts
    cause: 'the simulator held what a step commits behind a joint configuration against both majorities, as it left it',
    seeds: [700_875, 701_233],
  },
  {
    cause: 'the simulator counted a member among the voters whose removal the leader had been asked for',
    seeds: [701_538, 701_618],
  },
  {
    cause: 'the simulator had a disk emptied between the failure of a write for want of room and the word of it',
    seeds: [711_404],
  },
]

/** Seconds on an idle machine, minutes on a busy one. */
const TIMEOUT_MS = 300_000

for (const { cause, seeds } of KNOWN) {
  test(`${cause}: seeds ${seeds.join(', ')}`, { timeout: TIMEOUT_MS }, () => {
    const failures = seeds.map((seed) => runSeed(seed)).filter((result) => result.failure !== null)
    expect(failures).toEqual([])
  })
}
