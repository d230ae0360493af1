import { parentPort, workerData } from 'node:worker_threads'
import { identityOf, type MachineIdentity } from '../../machine/index.ts'
import { loadMachines } from '../machines/load-machines.ts'
import { CommandError, EXIT, type ExitCode } from '../terminal/exit.ts'

/** What the thread answers: the machines of the module, or why there are none. */
export type IdentityAnswer =
  | { readonly kind: 'machines'; readonly machines: readonly MachineIdentity[] }
  | { readonly kind: 'refused'; readonly exitCode: ExitCode; readonly message: string; readonly cure: string }

const { path, origin }: { path: string; origin: string } = workerData
const answer: IdentityAnswer = await loadMachines(path, origin).then(
  (machines): IdentityAnswer => ({ kind: 'machines', machines: machines.map(identityOf) }),
  (error: unknown): IdentityAnswer =>
    error instanceof CommandError
      ? { kind: 'refused', exitCode: error.exitCode, message: error.message, cure: error.cure }
      : { kind: 'refused', exitCode: EXIT.failure, message: String(error), cure: 'Correct the module.' },
)
parentPort?.postMessage(answer)
