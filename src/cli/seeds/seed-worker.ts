import { parentPort } from 'node:worker_threads'
import { runSeed } from '../../sim/run-seed.ts'

/** A thread of `SeedWorkers`: for each seed it is sent it answers what that seed did. It ends when its owner ends it. */
parentPort?.on('message', (seed: number) => {
  parentPort?.postMessage(runSeed(seed))
})
