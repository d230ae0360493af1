import { dirname, join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { SeedResult } from '../../sim/run-seed.ts'
import { executablePath } from '../package-root.ts'
import type { SeedRange } from './seed-ranges.ts'

/**
 * Runs a range of seeds on `jobs` threads and tells each result in the order of the seeds, so that what is printed and
 * summed does not depend on which thread was faster. Each seed is a world of its own: threads share nothing. Fails with
 * the error of the thread that ended, if one does; a seed that breaks an invariant is a result and no error.
 */
export function runSeeds(range: SeedRange, jobs: number, tell: (result: SeedResult) => void): Promise<void> {
  const end = range.first + range.count
  const ready = new Map<number, SeedResult>()
  let sent = range.first
  let told = range.first
  return new Promise((resolve, reject) => {
    const workers = Array.from({ length: Math.min(jobs, range.count) }, () => {
      return new Worker(workerPath(), { workerData: range.workload })
    })
    const finish = (settle: () => void): void => {
      void Promise.all(workers.map((worker) => worker.terminate())).then(settle)
    }
    const sendNext = (worker: Worker): void => {
      if (sent === end) return
      worker.postMessage(sent)
      sent += 1
    }
    for (const worker of workers) {
      worker.on('error', (error) => finish(() => reject(error)))
      worker.on('message', (result: SeedResult) => {
        ready.set(result.seed, result)
        sendNext(worker)
        for (let next = ready.get(told); next !== undefined; next = ready.get(told)) {
          ready.delete(told)
          told += 1
          tell(next)
        }
        if (told === end) finish(resolve)
      })
      sendNext(worker)
    }
  })
}

/** The compiled thread, also where this file itself runs uncompiled. */
function workerPath(): string {
  return join(dirname(executablePath()), 'seeds', 'seed-worker.js')
}
