import { decodePayload } from '../entry/payload-codec.ts'
import type { BackupFacts } from './backup-facts.ts'

/**
 * What is wrong with the content of a first block whose checksum is right, in words: who wrote it was no Holdfast, or one
 * with a fault. Null: it is what `BackupFacts` says, its Configuration can be decoded, and state, log and end meet.
 */
export function checkFacts(content: unknown): string | null {
  const wrong = wrongName(content)
  if (wrong !== null) return `its facts cannot be read at "${wrong}"`
  const { snapshot, log, end, rows, configuration } = content as BackupFacts
  try {
    decodePayload('Configuration', Uint8Array.from(Buffer.from(configuration, 'base64')))
  } catch {
    return 'its configuration cannot be decoded'
  }
  const state = snapshot?.lastIncludedIndex ?? 0
  if (snapshot === null && rows > 0) return 'it has rows of no state'
  if (log === null) return end.index === state && end.index > 0 ? null : 'no entries lead from its state to its end'
  const meets = log.first >= 1 && log.first <= state + 1 && log.first <= log.last
  return meets && log.last === end.index && end.index >= state
    ? null
    : 'its entries do not lead from its state to its end'
}

/** The first name whose value has another type than it must; null: all are well. */
function wrongName(content: unknown): string | null {
  if (!isRecord(content)) return 'format'
  for (const [name, is] of Object.entries(FACTS)) if (!is(content[name])) return name
  return null
}

const isText = (value: unknown): boolean => typeof value === 'string'
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0
const isRecord = (value: unknown): value is { readonly [name: string]: unknown } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const has =
  (counts: readonly string[], texts: readonly string[] = []) =>
  (value: unknown): boolean =>
    isRecord(value) && counts.every((name) => isCount(value[name])) && texts.every((name) => isText(value[name]))
const orNull =
  (is: (value: unknown) => boolean) =>
  (value: unknown): boolean =>
    value === null || is(value)

const FACTS: { readonly [name in keyof BackupFacts]: (value: unknown) => boolean } = {
  format: isCount,
  createdMs: isCount,
  node: isText,
  clusterId: isText,
  group: isCount,
  incarnation: isCount,
  development: (value) => typeof value === 'boolean',
  holdfast: isText,
  snapshot: orNull(
    has(['lastIncludedIndex', 'lastIncludedTerm', 'chain', 'lease', 'now', 'rowCount', 'digest'], ['stateHash']),
  ),
  rows: isCount,
  log: orNull(has(['first', 'last'])),
  end: has(['index', 'term', 'chain', 'lease', 'now'], ['stateHash']),
  machines: (value) => isRecord(value) && Object.values(value).every(isCount),
  limits: isRecord,
  configuration: isText,
}
