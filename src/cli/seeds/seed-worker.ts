import { parentPort } from 'node:worker_threads'
import type { SeedResult } from '../../sim/run-seed.ts'
import { type RunSeed, seedRunner, type SeedSource } from './workloads.ts'

/** What `SeedWorkers` sends: the seed that is to be run, and of what. */
export interface SeedOrder extends SeedSource {
  readonly seed: number
}

const runners = new Map<string, Promise<RunSeed>>()

/** A thread of `SeedWorkers`: for each seed it is sent it answers what that seed did. It ends when its owner ends it. */
parentPort?.on('message', async ({ workload, machines, seed }: SeedOrder) => {
  const run = runners.get(workload) ?? seedRunner({ workload, machines })
  runners.set(workload, run)
  const result = await run.then((runSeed) => runSeed(seed)).catch((error: unknown) => failedSeed(seed, error))
  parentPort?.postMessage(result)
})

/** A seed whose world could not be made, as of a module that is loaded in one thread and not in the other: it has failed. */
function failedSeed(seed: number, error: unknown): SeedResult {
  const failure = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  const nothing = { events: 0, simSeconds: 0, acks: 0, elections: 0, snapshots: 0, installs: 0, hash: '' }
  return { seed, failure, ...nothing }
}
