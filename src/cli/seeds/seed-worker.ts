import { parentPort, workerData } from 'node:worker_threads'
import { RUN_SEED, type Workload } from './workloads.ts'

/** A thread of `SeedWorkers`: for each seed it is sent it answers what that seed did. It ends when its owner ends it. */
parentPort?.on('message', (seed: number) => {
  // What `runSeeds` gave it.
  parentPort?.postMessage(RUN_SEED[workerData as Workload](seed))
})
