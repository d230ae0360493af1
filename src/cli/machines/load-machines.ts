import { createRequire } from 'node:module'
import { resolve, sep } from 'node:path'
import { isOwned, type Mountable } from '../../machine/index.ts'
import { packageFacts } from '../package-root.ts'
import { CommandError, EXIT } from '../terminal/exit.ts'
import { loadModule } from './load-module.ts'

/** A machine and the export that it was found in: `stock`, `default[1]`. */
interface Found {
  readonly place: string
  readonly machine: Mountable
}

/**
 * The machines that a module exports: named exports, a default one, an array as either, in the order of the module's names.
 * Each counts once, however often it is exported; several versions of one machine may stand beside each other.
 *
 * Rejects with CommandError as `loadModule` does, when nothing exported is a machine, when two machines have one name and
 * version, and when one was made by another copy of this package.
 * @param origin what named the file, e.g. `--machines`.
 */
export async function loadMachines(file: string, origin = '--machines'): Promise<readonly Mountable[]> {
  const path = resolve(file)
  const exported = await loadModule(path, origin)
  const found = new Map<Mountable, Found>()
  for (const { place, value } of valuesOf(exported)) {
    const machine = machineIn(value)
    if (machine === null) continue
    if (!isOwned(machine)) throw otherCopy(path, { place, machine }, origin)
    if (!found.has(machine)) found.set(machine, { place, machine })
  }
  if (found.size === 0) throw noMachine(path, Object.keys(exported), origin)
  assertDistinct(path, [...found.values()], origin)
  return [...found.keys()]
}

/** `stock v2`, for a person. */
export function describeMachine(machine: Mountable): string {
  return `${machine.name} v${machine.version ?? 1}`
}

function valuesOf(exported: { readonly [name: string]: unknown }): { place: string; value: unknown }[] {
  return Object.entries(exported).flatMap(([name, value]) =>
    Array.isArray(value)
      ? value.map((item: unknown, at) => ({ place: `${name}[${at}]`, value: item }))
      : [{ place: name, value }],
  )
}

function machineIn(value: unknown): Mountable | null {
  if (typeof value !== 'object' || value === null || !('kind' in value) || !('name' in value)) return null
  // What looks like a machine is one: isOwned tells whose.
  return value.kind === 'definition' || value.kind === 'bare' ? (value as Mountable) : null
}

function noMachine(path: string, names: readonly string[], origin: string): CommandError {
  const exported = names.length === 0 ? 'it exports nothing' : `it exports ${names.join(', ')}`
  const cure = "Export what defineMachine gives: export const stock = defineMachine('stock', …)."
  return new CommandError(EXIT.failure, `${origin}: ${path} exports no machine; ${exported}`, cure)
}

function assertDistinct(path: string, found: readonly Found[], origin: string): void {
  const places = new Map<string, string>()
  for (const { machine, place } of found) {
    const name = describeMachine(machine)
    const other = places.get(name)
    if (other !== undefined) {
      const message = `${origin}: ${path} exports two machines ${name}: ${other} and ${place}`
      throw new CommandError(EXIT.failure, message, 'Give one of them another name, or the next version.')
    }
    places.set(name, place)
  }
}

function otherCopy(path: string, { place, machine }: Found, origin: string): CommandError {
  const theirs = copyFor(path)
  const message =
    `${origin}: ${path}: the machine ${machine.name} (export ${place}) was made by another copy of holdfast` +
    `${theirs === null ? '' : `, in ${theirs}`}; this one runs from ${packageFacts().root}`
  const cure =
    'Run the copy that the module imports (with npx, in its own project), or export what defineMachine itself gives.'
  return new CommandError(EXIT.failure, message, cure)
}

/** Where the module's own `import 'holdfast'` leads, or null. */
function copyFor(path: string): string | null {
  try {
    return createRequire(path).resolve('holdfast').split(`${sep}dist${sep}`)[0] ?? null
  } catch {
    return null
  }
}
