import { parentPort } from 'node:worker_threads'
import { type RunSeed, seedRunner, type Workload } from './workloads.ts'

/** What `SeedWorkers` sends: the seed of a workload that is to be run. */
export interface SeedOrder {
  readonly workload: Workload
  readonly seed: number
}

const runners = new Map<Workload, RunSeed>()

/** A thread of `SeedWorkers`: for each seed it is sent it answers what that seed did. It ends when its owner ends it. */
parentPort?.on('message', async ({ workload, seed }: SeedOrder) => {
  const run = runners.get(workload) ?? (await seedRunner(workload))
  runners.set(workload, run)
  parentPort?.postMessage(run(seed))
})
