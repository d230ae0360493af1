import { assert } from '../../base/assert.ts'
import { formatHostPort } from '../../base/host-port.ts'
import type { NodeMachinesReport } from '../../client/index.ts'
import type { Mountable } from '../../machine/index.ts'
import { defaultEndpoints } from '../cluster/address.ts'
import { readSettings, type TypedFlags } from '../config/read-settings.ts'
import { EXIT, type ExitCode, usageError } from '../terminal/exit.ts'
import { type ListingForm, printListing } from '../terminal/listing.ts'
import { say } from '../terminal/output.ts'
import { type ActiveMachine, compareMachines, type Finding } from './compare-machines.ts'
import { loadMachines } from './load-machines.ts'
import { askMachines, declaredMachines } from './machine-sides.ts'

/** Options of `holdfast machine check`. */
export interface CheckFlags extends TypedFlags {
  /** The directory of a stopped node, in the place of a cluster. */
  readonly data?: string
  /** Module with the machines that ran there. */
  readonly against?: string
}

/**
 * `holdfast machine check`: a sentence for everything that the module has otherwise than what runs. Exit code 4 when a node
 * with the module would halt or apply the log otherwise; warnings and notes alone are 0.
 */
export async function checkMachines({ data, against, ...flags }: CheckFlags, form: ListingForm): Promise<ExitCode> {
  const { values, origins } = await readSettings(flags, ['machines'])
  assert(values.machines !== undefined, 'a required setting is there', { values })
  const machines = await loadMachines(values.machines, origins.machines)
  if (data !== undefined) {
    if (flags.endpoints !== undefined)
      throw usageError('--data and --endpoints are two places to look', 'Name one of them.')
    const ran = against === undefined ? null : await loadMachines(against, '--against')
    return (await import('./check-stopped.ts')).checkStopped(data, { machines, against: ran }, form)
  }
  if (against !== undefined)
    throw usageError('--against needs --data', 'Nodes that run tell themselves what they have.')
  const declared = declaredMachines(machines)
  const running = runningOf(await askMachines(values.endpoints?.map(formatHostPort) ?? defaultEndpoints()))
  const findings = [...compareMachines(running, declared), ...warningsOf(machines)]
  printListing(form, {
    name: 'findings',
    lines: findings,
    columns: { severity: (line) => line.severity, message: (line) => line.message },
  })
  if (findings.length === 0) say('the module has what runs')
  return findings.some(({ severity }) => severity === 'error') ? EXIT.refused : EXIT.ok
}

/** What the machines say of themselves; only an error is refused. */
function warningsOf(machines: readonly Mountable[]): readonly Finding[] {
  return machines.flatMap((machine) => {
    const { warnings = [] } = machine.kind === 'definition' ? machine.behaviour : {}
    return warnings.map(
      (warning): Finding => ({
        severity: 'warning',
        machine: machine.name,
        what: 'definition',
        path: null,
        message: `${machine.name}: ${warning}`,
      }),
    )
  })
}

/** What runs is what the node says that has applied most; what there is, is what all have. */
function runningOf(reports: readonly NodeMachinesReport[]): readonly ActiveMachine[] {
  const newest = reports.reduce((best, report) => (report.appliedIndex > best.appliedIndex ? report : best))
  const names = new Set(reports.flatMap(({ machines }) => machines.map(({ name }) => name)))
  return [...names].map((name) => {
    const { active, schema } = newest.machines.find((machine) => machine.name === name) ?? { active: 0, schema: '' }
    const builds = reports.flatMap(({ id, machines }) =>
      machines
        .filter((machine) => machine.name === name)
        .flatMap((machine) => machine.builds.map((build) => ({ where: id, ...build }))),
    )
    return { name, active, schema, builds }
  })
}
