import { dirname, join } from 'node:path'
import { unknownName } from '../../host/limit-problems.ts'
import { CommandError, EXIT } from '../terminal/exit.ts'
import { type ConfigFile, readConfigFile } from './config-file.ts'
import { type Setting, SETTING_NAMES, type SettingName, SETTINGS, type SettingValues } from './settings.ts'

/** Flags as they were typed; absent: not given. `insecure` is true when it was said. */
export type TypedFlags = { readonly [Name in SettingName | 'config']?: string | boolean | undefined }

/** All settings that anything gave, and what gave them. */
export interface Settings {
  readonly values: SettingValues
  /** `--data`, `HOLDFAST_DATA`, `holdfast.config.yaml: data`; absent for a setting that nothing gave. */
  readonly origins: { readonly [Name in SettingName]?: string }
  /** The configuration file that was read, or null. */
  readonly file: string | null
}

type Environment = { readonly [name: string]: string | undefined }

/**
 * Every setting by its highest source: flag > environment > file. Rejects with CommandError (exit code 2) that names all
 * that is wrong at once, each with its origin: values that cannot be used, names that the file may not have, and `required`
 * settings that nothing gives.
 */
export async function readSettings(
  flags: TypedFlags,
  required: readonly SettingName[] = [],
  environment: Environment = process.env,
): Promise<Settings> {
  const file = await readConfigFile(fileNamed(flags, environment))
  const problems = file === null ? [] : unknownNames(file)
  const values: { [name: string]: unknown } = {}
  const origins: { [Name in SettingName]?: string } = {}
  for (const name of SETTING_NAMES) {
    const source = sourceOf(name, { flags, environment, file })
    if (source === null) {
      if (required.includes(name)) problems.push(missing(name))
      continue
    }
    origins[name] = source.origin
    const read = SETTINGS[name].schema.safeParse(source.value)
    if (read.success) values[name] = read.data
    else problems.push(...read.error.issues.map((issue) => sentence(source, issue)))
  }
  // Each value was read by the schema of its name.
  const settings: Settings = { values: values as SettingValues, origins, file: file?.path ?? null }
  if (problems.length === 0) problems.push(...contradictions(settings, required))
  if (problems.length > 0) throw refused(problems)
  return settings
}

function fileNamed(flags: TypedFlags, environment: Environment): { path: string; origin: string } | null {
  if (typeof flags.config === 'string') return { path: flags.config, origin: '--config' }
  const named = environment['HOLDFAST_CONFIG']
  return named === undefined ? null : { path: named, origin: 'HOLDFAST_CONFIG' }
}

interface Source {
  readonly origin: string
  readonly value: unknown
  /** Stands between the origin and the path inside its value. */
  readonly joint: ' ' | '.'
}

function sourceOf(
  name: SettingName,
  from: { flags: TypedFlags; environment: Environment; file: ConfigFile | null },
): Source | null {
  const setting: Setting = SETTINGS[name]
  const { fromText = (text: string): unknown => text } = setting
  const flag = from.flags[name]
  if (flag !== undefined) {
    return { origin: setting.flag, value: typeof flag === 'string' ? fromText(flag) : flag, joint: ' ' }
  }
  const text = from.environment[setting.environment]
  if (text !== undefined) return { origin: setting.environment, value: fromText(text), joint: ' ' }
  const value = from.file?.values[name]
  if (from.file === null || value === undefined) return null
  const beside = setting.path === true && typeof value === 'string' && value !== ''
  return {
    origin: `${from.file.shown}: ${name}`,
    value: beside && !value.startsWith('/') ? join(dirname(from.file.path), value) : value,
    joint: '.',
  }
}

function sentence({ origin, joint }: Source, issue: { path: readonly PropertyKey[]; message: string }): string {
  const [first] = issue.path
  // A place in a list is told as such, a name behind a flag by itself.
  const place = typeof first === 'number' ? `[${first}]` : first === undefined ? '' : `${joint}${String(first)}`
  return `${origin}${place}: ${issue.message}`
}

function unknownNames(file: ConfigFile): string[] {
  const unknown = Object.keys(file.values).filter((name) => !SETTING_NAMES.some((known) => known === name))
  return unknown.map((name) => `${file.shown}: ${name}: ${unknownName(name, SETTING_NAMES)}`)
}

function missing(name: SettingName): string {
  const { flag, environment } = SETTINGS[name]
  return `${flag}: is not given; neither ${environment} nor a holdfast.config file has it`
}

/** What is right by itself and wrong together. */
function contradictions({ values, origins }: Settings, required: readonly SettingName[]): string[] {
  const { id, peers } = values
  if (!required.includes('peers') || id === undefined || peers === undefined) return []
  return peers.some((peer) => peer.id === id)
    ? []
    : [`${origins.peers}: does not name the node ${id} (${origins.id}); name all members there, this node among them`]
}

function refused(problems: readonly string[]): CommandError {
  const [only] = problems
  const message =
    problems.length === 1 ? `${only}` : `${problems.length} settings cannot be used:\n  ${problems.join('\n  ')}`
  return new CommandError(EXIT.usage, message, '`holdfast config show --origin` says where each value comes from.')
}
