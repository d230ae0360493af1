import type { MachineReport, NodeMachinesReport } from '../../client/index.ts'
import type { DeclaredMachine } from './machine-sides.ts'

/** One machine on one node: a line of `holdfast machine list`. */
export interface MachineLine {
  readonly machine: string
  /** Id of the node; `module` for the module of `--machines`. */
  readonly node: string
  /** The version that runs; 0: none. Of the module: what runs at the node that has applied most. */
  readonly active: number
  /** Of that version there; null: it is not there. */
  readonly schema: string | null
  readonly code: string | null
  /** Versions that it has, lowest first. */
  readonly versions: readonly number[]
  /** What differs from the node that has applied most. */
  readonly differs: readonly string[]
}

/** The name that the module has in the place of a node. */
const MODULE = 'module'

/** Every machine on every node, and in the module if there is one. */
export function machineLines(
  reports: readonly NodeMachinesReport[],
  declared: readonly DeclaredMachine[] | null,
): readonly MachineLine[] {
  const newest = reports.reduce((best, report) => (report.appliedIndex > best.appliedIndex ? report : best))
  const names = [
    ...new Set([
      ...reports.flatMap(({ machines }) => machines.map(({ name }) => name)),
      ...(declared ?? []).map(({ name }) => name),
    ]),
  ].sort()
  return names.flatMap((name) => {
    const reference = { node: newest.id, machine: machineOf(newest, name) }
    const lines = reports.map((report) => lineOf(report.id, machineOf(report, name), reference))
    if (declared === null) return lines
    const builds = declared.filter((build) => build.name === name)
    return [...lines, lineOf(MODULE, { ...reference.machine, builds }, reference)]
  })
}

function machineOf(report: NodeMachinesReport, name: string): MachineReport {
  return report.machines.find((machine) => machine.name === name) ?? { name, active: 0, schema: '', builds: [] }
}

function lineOf(node: string, own: MachineReport, reference: { node: string; machine: MachineReport }): MachineLine {
  const build = own.builds.find(({ version }) => version === own.active) ?? null
  return {
    machine: own.name,
    node,
    active: own.active,
    schema: build?.schema ?? null,
    code: build?.code ?? null,
    versions: own.builds.map(({ version }) => version),
    differs: node === reference.node ? [] : differencesOf(own, reference),
  }
}

function differencesOf(own: MachineReport, { node, machine }: { node: string; machine: MachineReport }): string[] {
  const found: string[] = []
  if (own.active !== machine.active) found.push(`version ${own.active} runs, ${machine.active} on ${node}`)
  for (const { version, schema, code } of machine.builds) {
    const same = own.builds.find((build) => build.version === version)
    if (same === undefined) found.push(`has no version ${version}`)
    else if (same.schema !== schema) found.push(`another schema of version ${version} than ${node}`)
    else if (same.code !== code) found.push(`other handlers of version ${version} than ${node}`)
  }
  for (const { version } of own.builds) {
    if (machine.builds.every((build) => build.version !== version)) found.push(`version ${version} is not on ${node}`)
  }
  return found
}
