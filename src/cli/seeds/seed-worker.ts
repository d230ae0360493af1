import { parentPort } from 'node:worker_threads'
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
  parentPort?.postMessage(await (await run)(seed))
})
