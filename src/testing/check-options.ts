import { boolean, fieldsOf, integer, list, optional, refuse } from '../client/check/fields.ts'
import { orThrow } from '../client/check/invalid-argument.ts'

/** What is wrong with an option is thrown, by name; `undefined` is the option's default. */
type Check = (value: unknown, field: string) => unknown

/**
 * Refuses options of the kit that cannot be used, before anything is opened. Throws InvalidArgument, a TypeError, with the
 * field. Gives them as they were read: a getter is not asked twice.
 */
export function checkKitOptions<Options extends object>(
  given: Options,
  names: readonly (keyof Options & string)[],
): Options {
  return orThrow('options', () => {
    const read = { ...fieldsOf(given, 'options') }
    for (const name of names) {
      const check = CHECKS[name]
      if (check !== undefined) optional(read[name], `options.${name}`, { read: check, fallback: undefined })
    }
    // The members that were checked are as the type says.
    return read as Options
  })
}

/** Refuses what is no list of at least one machine; gives it. Throws InvalidArgument. */
export function checkMachines<Machines extends readonly unknown[]>(machines: Machines): Machines {
  return orThrow('machines', () => {
    list(machines, 'machines', { least: 1, most: MACHINES_MAX, item: machine })
    return machines
  })
}

const MACHINES_MAX = 1024
/** Wall clocks are from 1970 to 9999. */
const WALL_MS_MAX = 253_402_300_799_999
const SEED_MAX = 2 ** 32 - 1
const SNAPSHOT_BYTES_MAX = Number.MAX_SAFE_INTEGER

const wallMs: Check = (value, field) => integer(value, field, [0, WALL_MS_MAX])

const CHECKS: { readonly [name: string]: Check } = {
  directory: (value, field) => {
    // An empty name, as an unset variable gives it, would be the current directory.
    const named = typeof value === 'string' && value.trim() !== '' && !value.includes('\0')
    return named ? value : refuse(field, 'must name a directory', value)
  },
  development: boolean,
  snapshotBytes: (value, field) => integer(value, field, [1, SNAPSHOT_BYTES_MAX]),
  seed: (value, field) => integer(value, field, [0, SEED_MAX]),
  limits: fieldsOf,
  startAtMs: wallMs,
  nowMs: wallMs,
  guard: boolean,
  failures: (value, field) =>
    value === 'throw' || value === 'collect' ? value : refuse(field, "must be 'throw' or 'collect'", value),
}

function machine(value: unknown, field: string): unknown {
  const { kind, name } = fieldsOf(value, field)
  const made = (kind === 'definition' || kind === 'bare') && typeof name === 'string'
  return made ? value : refuse(field, 'must be a machine, made by defineMachine or bare', value)
}
