import { parentPort, workerData } from 'node:worker_threads'
import { seedRunner, type Workload } from './workloads.ts'

// What `runSeeds` gave it.
const run = await seedRunner(workerData as Workload)

/** A thread of `SeedWorkers`: for each seed it is sent it answers what that seed did. It ends when its owner ends it. */
parentPort?.on('message', (seed: number) => {
  parentPort?.postMessage(run(seed))
})
