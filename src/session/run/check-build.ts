import type { BuildMachine } from '../user-machine.ts'
import { ApplyHalt } from './halt.ts'

/** A machine at a version, as the log names it; `schema` null: it named none. */
export interface WantedMachine {
  readonly machine: string
  readonly version: number
  readonly schema: string | null
}

/**
 * Why a build must not apply anything after the log has switched to `wanted`; null when it has that very machine. `index` is
 * that of the entry that switches, or of the snapshot that says so.
 */
export function checkBuild(build: readonly BuildMachine[], wanted: WantedMachine, index: number): ApplyHalt | null {
  const { machine, version, schema } = wanted
  const versions = build.find(({ name }) => name === machine)?.versions
  const asked = `the log runs machine ${machine} at version ${version}${named(schema)} from entry ${index} on`
  if (versions === undefined) {
    const has = build.length === 0 ? 'no machines' : build.map(({ name }) => name).join(', ')
    return new ApplyHalt(
      'MACHINE_MISSING',
      index,
      `${asked}, and this build does not have it (it has ${has}); start this node with the machines of the others`,
    )
  }
  const found = versions.find((known) => known.version === version)
  if (found === undefined) {
    const has = versions.map((known) => `${known.version}${named(known.schema)}`).join(', ')
    return new ApplyHalt(
      'MACHINE_MISSING',
      index,
      `${asked}, and this build has version ${has}; start it with a build that has version ${version} too`,
    )
  }
  if (schema === null || found.schema === schema) return null
  return new ApplyHalt(
    'MACHINE_DIFFERS',
    index,
    `${asked}, and this build has version ${version}${named(found.schema)}: what it declares is not the same. ` +
      `Put the old declaration back, or keep it as version ${version} and give the new one a higher version`,
  )
}

/** The first digits of a schema's fingerprint: enough to compare with what another node says. */
function named(schema: string | null): string {
  return schema === null || schema === '' ? '' : ` (schema ${schema.slice(0, 12)})`
}
