import { z } from 'zod'
import { ValueError } from '../../codec/value/value-error.ts'
import type { SessionCodec } from '../../codec/session-codec.ts'
import type { Value } from '../../codec/value/value.ts'
import { TASK_MACHINE } from '../../session/tables/tasks.ts'
import { suggest } from '../../base/suggest.ts'
import { strictly } from './strict.ts'
import { VersionSet } from '../define/version-set.ts'
import { mayHoldSealed } from '../../codec/value/sealed.ts'
import { holdsPersonal } from '../personal/check-personal.ts'
import { type FieldSealer, sealFields, type SealRefusal, SUBJECT_CHARS_MAX } from '../personal/seal-fields.ts'

/** One thing that is wrong with an input: where (`.items[3].price`, '' for the whole) and what. */
export interface InputIssue {
  readonly path: string
  readonly message: string
}

/** Codes of inputs that are refused before the log (wire.md §4.3). */
export type ParseFailureCode =
  | 'UNKNOWN_MACHINE'
  | 'MACHINE_NOT_ACTIVE'
  | 'UNKNOWN_COMMAND'
  | 'UNKNOWN_QUERY'
  | 'VALIDATION_ERROR'
  | SealRefusal

/** Why an input was refused before it reached the log: nothing was executed. */
export interface ParseFailure {
  readonly ok: false
  readonly code: ParseFailureCode
  /** A sentence that says what is allowed. */
  readonly message: string
  readonly details: { readonly issues: readonly InputIssue[] }
}

/** A command's input, ready for the log, or why it is refused. */
export type ParsedCommand =
  /** `input`: canonical encoding of the parsed value, never written to. `version`: of the machine whose schema parsed it. */
  { readonly ok: true; readonly input: Uint8Array; readonly version: number } | ParseFailure

/** A query's input, or why it is refused. */
export type ParsedQuery = { readonly ok: true; readonly input: Value } | ParseFailure

/** What a mounted machine accepts. `null` in place of a schema: any plain data (bare machines without schemas). */
export interface InputSchemas {
  readonly version: number
  readonly commands: ReadonlyMap<string, z.core.$ZodType | null> | null
  readonly queries: ReadonlyMap<string, z.core.$ZodType | null> | null
  /** Commands whose inputs hold personal fields; absent: none does. */
  readonly personal?: ReadonlySet<string>
}

/** Strict versions of the inputs of commands or queries. */
export function inputSchemas(references: {
  readonly [name: string]: { readonly input: z.core.$ZodType }
}): ReadonlyMap<string, z.core.$ZodType> {
  return new Map(Object.entries(references).map(([name, { input }]) => [name, strictly(input)]))
}

/** Names of the commands whose inputs hold personal fields; undefined: none does. */
export function personalCommands(references: {
  readonly [name: string]: { readonly input: z.core.$ZodType }
}): ReadonlySet<string> | undefined {
  const names = Object.keys(references).filter((name) => {
    const reference = references[name]
    return reference !== undefined && holdsPersonal(reference.input)
  })
  return names.length === 0 ? undefined : new Set(names)
}

const taskId = z.string().min(1).max(256)
const attempt = z.int().min(1)
/** What workers send to the built-in machine `task` (domain.md §0.7). The session layer applies it. */
const TASK_COMMANDS = {
  complete: { input: z.strictObject({ taskId, attempt, result: z.unknown() }) },
  fail: { input: z.strictObject({ taskId, attempt, reason: z.string().max(4096) }) },
} as const

type ParserCodec = Pick<SessionCodec, 'encodeValue' | 'decodeInput' | 'isEncodingOf'>

/**
 * Parses inputs at the edge: a command's on the leader before it proposes it, a query's on the node that answers it
 * (machines.md §1). Clients do not parse.
 */
export class InputParser {
  private readonly codec: ParserCodec
  private readonly machines: ReadonlyMap<string, VersionSet<InputSchemas>>
  /** Commands with personal fields, of whatever version, by machine. */
  private readonly personal: ReadonlyMap<string, ReadonlySet<string>>

  constructor(codec: ParserCodec, machines: ReadonlyMap<string, VersionSet<InputSchemas>>) {
    this.codec = codec
    this.machines = new Map([
      ...machines,
      [TASK_MACHINE, new VersionSet([[1, { version: 1, commands: inputSchemas(TASK_COMMANDS), queries: new Map() }]])],
    ])
    const personal = [...machines].map(([name, versions]) => {
      const names = versions.numbers.flatMap((version) => [...(versions.exactly(version)?.personal ?? [])])
      return [name, new Set(names)] as const
    })
    this.personal = new Map(personal.filter(([, names]) => names.size > 0))
  }

  /** Whether any machine has personal fields in its commands. */
  get isPersonal(): boolean {
    return this.personal.size > 0
  }

  /**
   * Decodes, parses and encodes again, by the schemas of version `active`, or of the highest without it: defaults and
   * transforms happen here, and the bytes become canonical.
   *
   * PERF: nearly every input is canonical and what the schema makes of it is the same; then `input` is `bytes` itself, which
   * the caller therefore leaves as they are.
   *
   * `sealer`: seals the personal fields; without one such a command is refused. Given one, no input may bring a sealed value.
   */
  parse(machine: string, command: string, bytes: Uint8Array, active?: number, sealer?: FieldSealer): ParsedCommand {
    const schemas = this.schemasOf(machine, active)
    if ('code' in schemas) return schemas
    const schema = schemas.commands === null ? null : schemas.commands.get(command)
    if (schema === undefined) return unknownName('UNKNOWN_COMMAND', machine, command, schemas.commands)
    // Whoever has an old ciphertext could have it opened, as a field that anybody reads.
    if (sealer !== undefined && mayHoldSealed(bytes)) return invalid([{ path: '', message: 'it holds a sealed value' }])
    try {
      const parsed = check(schema, this.codec.decodeInput(bytes))
      if (!parsed.ok) return parsed
      const { value } = parsed
      if (schemas.personal?.has(command) === true) return this.sealed(value, schemas.version, sealer)
      const input = this.codec.isEncodingOf(value, bytes) ? bytes : this.codec.encodeValue(value)
      return { ok: true, input, version: schemas.version }
    } catch (error) {
      return refused(error)
    }
  }

  /**
   * Whether the input of a command holds personal fields in any version: then nothing that is made of its bytes, such as a
   * hash,
   * may be stored.
   */
  holdsPersonal(machine: string, command: string): boolean {
    return this.personal.get(machine)?.has(command) ?? false
  }

  private sealed(value: Value, version: number, sealer: FieldSealer | undefined): ParsedCommand {
    if (sealer === undefined) return invalid([{ path: '', message: 'this host has no keys for personal fields' }])
    const sealed = sealFields(value, sealer)
    if (sealed.kind === 'sealed') return { ok: true, input: this.codec.encodeValue(sealed.value), version }
    if (sealed.kind === 'refused')
      return { ok: false, code: sealed.code, message: SENTENCES[sealed.code], details: { issues: [] } }
    return invalid([
      { path: sealed.path, message: `the subject of a personal field has 1–${SUBJECT_CHARS_MAX} characters` },
    ])
  }

  /** The parsed input of a query, decoded: it never reaches the log. */
  parseQuery(machine: string, query: string, bytes: Uint8Array, active?: number): ParsedQuery {
    const schemas = this.schemasOf(machine, active)
    if ('code' in schemas) return schemas
    const schema = schemas.queries === null ? null : schemas.queries.get(query)
    if (schema === undefined) return unknownName('UNKNOWN_QUERY', machine, query, schemas.queries)
    if (this.isPersonal && mayHoldSealed(bytes)) return invalid([{ path: '', message: 'it holds a sealed value' }])
    try {
      const parsed = check(schema, this.codec.decodeInput(bytes))
      return parsed.ok ? { ok: true, input: parsed.value } : parsed
    } catch (error) {
      return refused(error)
    }
  }

  private schemasOf(machine: string, active: number | undefined): InputSchemas | ParseFailure {
    const versions = this.machines.get(machine)
    if (versions === undefined) return this.unknownMachine(machine)
    const schemas = active === undefined ? versions.highest : versions.exactly(active)
    if (schemas !== null) return schemas
    const runs = active === 0 ? 'has not switched to it yet' : `runs version ${active}`
    const message =
      `machine "${machine}" is not active: the log ${runs}, this build has version ${versions.numbers.join(', ')}. ` +
      'It is switched on once every node of the cluster runs a build that has it'
    return { ok: false, code: 'MACHINE_NOT_ACTIVE', message, details: { issues: [] } }
  }

  private unknownMachine(machine: string): ParseFailure {
    const message = `unknown machine "${machine}"; ${suggest(machine, [...this.machines.keys()])}`
    return { ok: false, code: 'UNKNOWN_MACHINE', message, details: { issues: [] } }
  }
}

const SENTENCES: { readonly [Code in SealRefusal]: string } = {
  SUBJECT_FORGOTTEN: 'the subject of a personal field was forgotten: nothing more is taken in about it',
  SUBJECT_KEY_PENDING: 'the key of a subject is not on enough nodes yet',
}

/** A value against a strict schema; a failure lists every issue. */
function check(
  schema: z.core.$ZodType | null,
  value: Value,
): { readonly ok: true; readonly value: Value } | ParseFailure {
  if (schema === null) return { ok: true, value }
  const result = z.safeParse(schema, value)
  // What is not plain data is refused by the codec, which reads the value next.
  if (result.success) return { ok: true, value: result.data as Value }
  return invalid(result.error.issues.map((issue) => inputIssue(schema, issue)))
}

/** `.items[3].price` */
export function issuePath(path: readonly PropertyKey[]): string {
  return path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('')
}

function inputIssue(schema: z.core.$ZodType, issue: z.core.$ZodIssue): InputIssue {
  const path = issuePath(issue.path)
  if (issue.code !== 'unrecognized_keys') return { path, message: issue.message }
  const { def } = (schema as z.core.$ZodTypes)._zod
  const known = path === '' && def.type === 'object' ? Object.keys(def.shape) : null
  const unknown = issue.keys.map((key) => `unknown key "${key}"${known === null ? '' : `; ${suggest(key, known)}`}`)
  return { path, message: unknown.join('; ') }
}

function invalid(issues: readonly InputIssue[]): ParseFailure {
  const list = issues.slice(0, 20)
  const text = list.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ')
  return { ok: false, code: 'VALIDATION_ERROR', message: `the input does not fit: ${text}`, details: { issues: list } }
}

/** Bytes that are no value, or a schema of the machine that threw: neither reaches the log. */
function refused(error: unknown): ParseFailure {
  if (error instanceof ValueError) return invalid([{ path: error.path, message: error.message }])
  return invalid([
    { path: '', message: `the schema failed: ${error instanceof Error ? error.message : String(error)}` },
  ])
}

function unknownName(
  code: 'UNKNOWN_COMMAND' | 'UNKNOWN_QUERY',
  machine: string,
  name: string,
  known: ReadonlyMap<string, unknown> | null,
): ParseFailure {
  const what = code === 'UNKNOWN_COMMAND' ? 'command' : 'query'
  const message = `machine ${machine} has no ${what} "${name}"; ${suggest(name, [...(known?.keys() ?? [])])}`
  return { ok: false, code, message, details: { issues: [] } }
}
