import type { MachineBuildReport, NodeMachinesReport } from '../../client/index.ts'
import { fetchMachines } from '../../client/index.ts'
import { descriptionOf, identityOf, type Mountable } from '../../machine/index.ts'
import { CommandError, EXIT } from '../terminal/exit.ts'

const ANSWER_MS_MAX = 2000

/** One version of a machine in a module. */
export interface DeclaredMachine extends MachineBuildReport {
  readonly name: string
}

/** What the machines of a module are, as nodes tell it of theirs. */
export function declaredMachines(machines: readonly Mountable[]): readonly DeclaredMachine[] {
  const declared = machines.map((machine) => {
    const description = descriptionOf(machine)
    return { ...identityOf(machine), description: description === null ? '' : JSON.stringify(description) }
  })
  return declared.sort((left, right) => left.version - right.version)
}

/**
 * What the nodes at these endpoints have, sorted by their ids; those that do not answer are left out. Rejects with CommandError
 * (exit code 3) when none does.
 */
export async function askMachines(endpoints: readonly string[]): Promise<readonly NodeMachinesReport[]> {
  const answers = await Promise.allSettled(endpoints.map((endpoint) => fetchMachines(endpoint, ANSWER_MS_MAX)))
  const reports = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))
  if (reports.length === 0) {
    const why: unknown = answers.find((answer) => answer.status === 'rejected')?.reason
    throw new CommandError(
      EXIT.cannotConnect,
      `no node told its machines at ${endpoints.join(', ')}${why instanceof Error ? `: ${why.message}` : ''}`,
      'Start one with `holdfast dev`, or name others with --endpoints.',
    )
  }
  const byId = new Map(reports.map((report) => [report.id, report]))
  return [...byId.values()].sort((left, right) => (left.id < right.id ? -1 : 1))
}
