import { formatHostPort, type HostPort } from '../../base/host-port.ts'
import { defaultEndpoints } from '../cluster/address.ts'
import { describeMachine, loadMachines } from '../machines/load-machines.ts'
import { print, printJson, table } from '../terminal/output.ts'
import { readSettings, type Settings, type TypedFlags } from './read-settings.ts'
import { type Setting, SETTING_NAMES, type SettingName, SETTINGS } from './settings.ts'

/** Options of `holdfast config show` and `config check`. */
export interface ConfigFlags extends TypedFlags {
  /** With where each value comes from. */
  readonly origin?: true
  readonly json?: true
}

/** What a setting is when nothing gives it; null: it has to be given where it is needed. */
const DEFAULTS: { readonly [Name in SettingName]: unknown } = {
  machines: null,
  id: null,
  endpoints: defaultEndpoints(),
  data: null,
  peers: null,
  listen: null,
  http: 'off',
  webhookSecret: null,
  limits: {},
  insecure: false,
  development: false,
  leases: null,
  traceSteps: null,
  diskReserve: null,
  logLevel: 'info',
}

/** `holdfast config show`: every setting as it would count now, in the form that a file has. */
export async function showConfig(flags: ConfigFlags): Promise<void> {
  const settings = await readSettings(flags)
  const rows = SETTING_NAMES.map((name) => ({ name, ...shownValue(settings, name) }))
  if (flags.json === true) {
    const entries = rows.map(({ name, value, origin }) => [name, flags.origin === true ? { value, origin } : value])
    printJson(Object.fromEntries(entries))
    return
  }
  const texts = rows.map(({ name, value, origin }) => [name, textOf(value), ...(flags.origin === true ? [origin] : [])])
  print(table([['setting', 'value', ...(flags.origin === true ? ['from'] : [])], ...texts]))
}

/**
 * `holdfast config check`: refuses what is given and `start` could not use: with exit code 2 all such settings, else with 1 a
 * module of machines that cannot be loaded. What a start needs and nobody has given yet (id, peers, data) is not asked for.
 */
export async function checkConfig(flags: ConfigFlags): Promise<void> {
  const { values, origins, file } = await readSettings(flags)
  const machines = values.machines === undefined ? null : await loadMachines(values.machines, origins.machines)
  const names = machines?.map(describeMachine) ?? null
  if (flags.json === true) printJson({ ok: true, file, settings: Object.keys(origins), machines: names })
  else
    print(
      `${file ?? 'no configuration file'}: no mistake found${names === null ? '' : `; machines: ${names.join(', ')}`}`,
    )
}

function shownValue({ values, origins }: Settings, name: SettingName): { value: unknown; origin: string } {
  const origin = origins[name]
  if (origin === undefined) return { value: DEFAULTS[name], origin: 'default' }
  const { endpoints, listen, http, peers } = values
  const setting: Setting = SETTINGS[name]
  if (setting.secret === true) return { value: '***', origin }
  if (name === 'endpoints') return { value: endpoints?.map(formatHostPort), origin }
  if (name === 'listen') return { value: formatted(listen), origin }
  if (name === 'http') return { value: http === 'off' ? http : formatted(http), origin }
  if (name === 'peers') {
    return { value: Object.fromEntries((peers ?? []).map(({ id, address }) => [id, formatHostPort(address)])), origin }
  }
  return { value: values[name], origin }
}

function formatted(address: HostPort | undefined): string | null {
  return address === undefined ? null : formatHostPort(address)
}

function textOf(value: unknown): string {
  if (value === null) return '-'
  return typeof value === 'string' ? value : JSON.stringify(value)
}
