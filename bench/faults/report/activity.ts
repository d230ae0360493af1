import type { ClientsStopped } from '../clients/clients-process.ts'
import type { WorkloadName } from '../clients/steps.ts'
import type { Operation } from '../history.ts'
import type { StoredCell } from './summary.ts'

/** How much the clients came to: a workload of which nothing was answered shows nothing. */
export function activityOf(
  operations: readonly Operation[],
  stopped: readonly ClientsStopped[],
  workloads: readonly WorkloadName[],
): Pick<StoredCell, 'idle' | 'sessions' | 'callbacks'> {
  const done = new Set(operations.flatMap(({ step, type }) => (type === 'ok' ? [step.f.split('.')[0]] : [])))
  const lines = stopped.at(-1)?.journal?.sessions ?? []
  const sessions = lines.filter(({ kind }) => kind === 'opened').length
  const rounds = stopped.flatMap(({ payments }) => payments?.rounds ?? [])
  const callbacks = rounds.reduce((sum, { received, malformed }) => sum + received - malformed, 0)
  // A visit is over when its session is.
  const active = (name: WorkloadName): boolean => (name === 'visits' ? lines.length > sessions : done.has(name))
  const idle = [...workloads.filter((name) => !active(name)), ...(callbacks === 0 ? ['payments'] : [])]
  return { idle, sessions, callbacks }
}
