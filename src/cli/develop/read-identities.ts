import { dirname, join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { executablePath } from '../package-root.ts'
import { EXIT } from '../terminal/exit.ts'
import type { IdentityAnswer } from './identity-worker.ts'

/**
 * What the machines of a module are now: in a thread of its own, because a process loads each module once. A module that
 * hangs is refused after a while.
 */
export function readIdentities(path: string, origin: string): Promise<IdentityAnswer> {
  return new Promise((resolve) => {
    const worker = new Worker(join(dirname(executablePath()), 'develop', 'identity-worker.js'), {
      workerData: { path, origin },
      stdout: true,
    })
    // What the module prints is no result of this command.
    worker.stdout.pipe(process.stderr, { end: false })
    const settle = (answer: IdentityAnswer): void => {
      clearTimeout(timer)
      resolve(answer)
      void worker.terminate()
    }
    const refuse = (message: string): void =>
      settle({ kind: 'refused', exitCode: EXIT.failure, message, cure: 'Correct the module.' })
    const timer = setTimeout(
      () => refuse(`${origin}: ${path} was not loaded within ${LOAD_MS_MAX / 1000} s`),
      LOAD_MS_MAX,
    )
    worker.once('message', settle)
    worker.once('error', (error: Error) => refuse(`${origin}: ${path}: ${error.message}`))
    worker.once('exit', () => refuse(`${origin}: ${path} ended the thread that loaded it`))
  })
}

const LOAD_MS_MAX = 60_000
