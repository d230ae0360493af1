import { readFileSync } from 'node:fs'
import { checkAppend } from '../../history/append/check-append.ts'
import { readHistory } from '../../history/edn/read-history.ts'
import { isJepsenLog, readJepsenLog } from '../../history/edn/read-jepsen-log.ts'
import { HistoryError, type Operation, operationsOf } from '../../history/history.ts'
import { checkLinearizable } from '../../history/linear/linearizability.ts'
import { keyValueModel, registerModel } from '../../history/linear/models.ts'
import { checkBank } from '../../history/properties/bank.ts'
import { checkSet } from '../../history/properties/element-set.ts'
import type { Verdict } from '../../history/verdict.ts'
import { CommandError, errorCode, EXIT, type ExitCode } from '../terminal/exit.ts'
import { print, printJson, say } from '../terminal/output.ts'

export interface HistoryCheckFlags {
  readonly files: readonly string[]
  readonly model: keyof typeof CHECKERS
  /** Steps of a search for a linearization, of each file; absent: the default. */
  readonly steps?: number
  readonly json: boolean
}

/** What `--json` prints of a file; the names are fixed for whoever reads it. */
interface CheckedFile {
  readonly file: string
  readonly verdict: Verdict['kind']
  /** Those that the model has, which are judged. */
  readonly operations: number
  /** Names of operations that the model has not, which were passed over. */
  readonly others: readonly string[]
  /** Why it is unknown. */
  readonly why?: string
  readonly anomalies: readonly { readonly name: string; readonly text: string }[]
}

type Check = (operations: readonly Operation[], stepsMax?: number) => Verdict

/** What judges the operations of a model, by the names that these have. */
const CHECKERS = {
  register: {
    names: ['read', 'write', 'cas'],
    check: (operations, stepsMax) => checkLinearizable(operations, registerModel, bounded(stepsMax)),
  },
  kv: {
    names: ['get', 'put', 'append'],
    check: (operations, stepsMax) => checkLinearizable(operations, keyValueModel, bounded(stepsMax)),
  },
  append: { names: ['txn'], check: (operations) => checkAppend(operations) },
  set: { names: ['add', 'read'], check: (operations) => checkSet(operations) },
  bank: { names: ['read', 'transfer'], check: (operations) => checkBank(operations) },
} as const satisfies { readonly [model: string]: { readonly names: readonly string[]; readonly check: Check } }

/** Anomalies of one file that a person is told. */
const TOLD_MAX = 5

/** `holdfast history check`. Fails with CommandError for a file that cannot be read, or is no history of that model. */
export function checkHistories({ files, model, steps, json }: HistoryCheckFlags): ExitCode {
  const checked = files.map((file) => checkFile(file, model, steps))
  if (json) printJson({ files: checked })
  else for (const each of checked) tell(each)
  return checked.every(({ verdict }) => verdict === 'ok') ? EXIT.ok : EXIT.failure
}

function checkFile(file: string, model: keyof typeof CHECKERS, steps: number | undefined): CheckedFile {
  const text = textOf(file)
  try {
    const all = operationsOf(isJepsenLog(text) ? readJepsenLog(text) : readHistory(text))
    const { operations, others } = ofModel(all, model)
    const verdict = judged(operations, CHECKERS[model].check, steps)
    const anomalies = verdict.kind === 'violated' ? verdict.anomalies : []
    return {
      file,
      verdict: verdict.kind,
      operations: operations.length,
      others,
      ...(verdict.kind === 'unknown' ? { why: verdict.why } : {}),
      anomalies: anomalies.map(({ name, text: words }) => ({ name, text: words })),
    }
  } catch (error) {
    if (!(error instanceof HistoryError)) throw error
    const cure = 'Give --model that of the history, and a file with one map per event: {:type :invoke, :process 0, …}.'
    throw new CommandError(EXIT.failure, `${file}: ${error.message}`, cure)
  }
}

/**
 * The operations that a model has: one history may be of several objects, each with names of its own. Throws HistoryError where
 * it is of others alone.
 */
function ofModel(
  all: readonly Operation[],
  model: keyof typeof CHECKERS,
): { readonly operations: readonly Operation[]; readonly others: readonly string[] } {
  const names: readonly string[] = CHECKERS[model].names
  const operations = all.filter(({ name }) => names.includes(name))
  const others = [...new Set(all.map(({ name }) => name))].filter((name) => !names.includes(name)).sort()
  if (operations.length === 0 && others.length > 0)
    throw new HistoryError(`there are operations ${others.join(', ')}, and none of ${names.join(', ')}`)
  return { operations, others }
}

/** A history of which nobody was told anything proves nothing. */
function judged(operations: readonly Operation[], check: Check, steps: number | undefined): Verdict {
  const verdict = check(operations, steps)
  if (verdict.kind !== 'ok' || operations.some(({ outcome }) => outcome === 'ok')) return verdict
  return { kind: 'unknown', why: operations.length === 0 ? 'there are no operations' : 'no operation was answered' }
}

function tell({ file, verdict, operations, others, anomalies, why }: CheckedFile): void {
  const besides = others.length === 0 ? '' : `, besides ${others.join(', ')}`
  print(`${verdict.padEnd(8)}  ${file}  ${operations} operations${besides}${why === undefined ? '' : `; ${why}`}`)
  for (const { name, text } of anomalies.slice(0, TOLD_MAX)) say(`  ${name}: ${text}`)
  if (anomalies.length > TOLD_MAX) say(`  and ${anomalies.length - TOLD_MAX} more; --json has them all`)
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const cure = 'Name files that exist and may be read.'
    throw new CommandError(EXIT.failure, `${file} cannot be read: ${errorCode(error) ?? String(error)}`, cure)
  }
}

function bounded(stepsMax: number | undefined): { readonly stepsMax?: number } {
  return stepsMax === undefined ? {} : { stepsMax }
}
