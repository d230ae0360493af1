import type { Description } from '../../machine/index.ts'
import { descriptionDifference } from './description-difference.ts'
import type { DeclaredMachine } from './machine-sides.ts'

/** A machine that runs somewhere: what the log says of it, and what there is to compare a module with. */
export interface ActiveMachine {
  readonly name: string
  /** 0: no version runs. */
  readonly active: number
  /** The schema that the log named with that version; '': none was named. */
  readonly schema: string
  /** The builds there are, with who has them. */
  readonly builds: readonly {
    readonly where: string
    readonly version: number
    readonly schema: string
    readonly code: string
    /** '': not known. */
    readonly description: string
  }[]
}

/** One thing that a module has otherwise than what runs: a line of `holdfast machine check`. */
export interface Finding {
  /** `error`: a node with this module would halt, or apply the log otherwise. `note`: what will happen. */
  readonly severity: 'error' | 'warning' | 'note'
  readonly machine: string
  readonly what: 'missing' | 'schema' | 'handlers' | 'newer' | 'new' | 'definition'
  /** The first place of the description that differs; null: none, or it is not known. */
  readonly path: string | null
  readonly message: string
}

/** Compares a module with what runs, in the order of names. Empty: nothing would change. */
export function compareMachines(
  running: readonly ActiveMachine[],
  declared: readonly DeclaredMachine[],
): readonly Finding[] {
  const names = [...new Set([...running, ...declared].map(({ name }) => name))].sort()
  return names.flatMap((name) => {
    const own = declared.filter((machine) => machine.name === name)
    const active = running.find((machine) => machine.name === name) ?? { name, active: 0, schema: '', builds: [] }
    return active.active === 0 ? findingsOfNew(active, own) : findingsOfActive(active, own)
  })
}

function findingsOfNew(active: ActiveMachine, own: readonly DeclaredMachine[]): Finding[] {
  const highest = own.at(-1)
  if (highest === undefined) return []
  const { name: machine, version } = highest
  const message = `${machine}: does not run yet; version ${version} starts once every node has it`
  return [{ severity: 'note', machine, what: 'new', path: null, message }, ...conflicts(active, own)]
}

function findingsOfActive(active: ActiveMachine, own: readonly DeclaredMachine[]): Finding[] {
  const { name: machine, active: version } = active
  const same = own.find((build) => build.version === version)
  if (same === undefined) {
    const versions = own.map((build) => build.version).join(', ')
    const what = versions === '' ? 'the module has no such machine' : `the module has only version ${versions}`
    const message = `${machine}: version ${version} runs, and ${what}: a node with it would halt`
    return [{ severity: 'error', machine, what: 'missing', path: null, message }]
  }
  const highest = own.at(-1)?.version ?? version
  const newer: Finding[] =
    highest <= version
      ? []
      : [
          {
            severity: 'note',
            machine,
            what: 'newer',
            path: null,
            message: `${machine}: version ${highest} would follow version ${version} once every node has it`,
          },
        ]
  return [...schemaFindings(active, same), ...newer, ...conflicts(active, own)]
}

/** The module's build of the version that runs. */
function schemaFindings(active: ActiveMachine, same: DeclaredMachine): Finding[] {
  const { name: machine, active: version, builds } = active
  const there = builds.filter((build) => build.version === version)
  // A log of an earlier build names no schema; then that of a node counts.
  const schema = active.schema === '' ? (there[0]?.schema ?? '') : active.schema
  if (schema !== same.schema) return [changedSchema({ machine, version, schema }, there, same)]
  const other = there.find((build) => build.schema === same.schema && build.code !== same.code)
  if (other === undefined) return []
  const message =
    `${machine}: version ${version} has other handlers than ${other.where} ` +
    `(${other.code.slice(0, 12)} there, ${same.code.slice(0, 12)} here): if they answer otherwise, make it version ${version + 1}`
  return [{ severity: 'warning', machine, what: 'handlers', path: null, message }]
}

/** Versions that do not run yet, and are something else on a node. */
function conflicts(active: ActiveMachine, own: readonly DeclaredMachine[]): Finding[] {
  return own.flatMap((build) => {
    if (build.version <= active.active) return []
    const there = active.builds.filter(({ version }) => version === build.version)
    const other = there.find(({ schema }) => schema !== build.schema)
    if (other === undefined) return []
    return [changedSchema({ machine: build.name, version: build.version, schema: other.schema }, there, build)]
  })
}

function changedSchema(
  { machine, version, schema }: { machine: string; version: number; schema: string },
  there: ActiveMachine['builds'],
  same: DeclaredMachine,
): Finding {
  const known = there.find((build) => build.schema === schema && build.description !== '')
  const difference =
    known === undefined || same.description === ''
      ? null
      : descriptionDifference(JSON.parse(known.description) as Description, JSON.parse(same.description) as Description)
  const words =
    difference === null
      ? `schema ${schema.slice(0, 12) || 'none'} there, ${same.schema.slice(0, 12) || 'none'} here`
      : `${difference.path} is ${difference.before ?? 'absent'} there and ${difference.after ?? 'absent'} here`
  const message = `${machine}: version ${version} has another schema: ${words}; make the change version ${version + 1}`
  return { severity: 'error', machine, what: 'schema', path: difference?.path ?? null, message }
}
