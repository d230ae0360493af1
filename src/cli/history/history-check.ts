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
  readonly operations: number
  /** Why it is unknown. */
  readonly why?: string
  readonly anomalies: readonly { readonly name: string; readonly text: string }[]
}

type Check = (operations: readonly Operation[], stepsMax?: number) => Verdict

const CHECKERS = {
  register: (operations, stepsMax) => checkLinearizable(operations, registerModel, bounded(stepsMax)),
  kv: (operations, stepsMax) => checkLinearizable(operations, keyValueModel, bounded(stepsMax)),
  append: (operations) => checkAppend(operations),
  set: (operations) => checkSet(operations),
  bank: (operations) => checkBank(operations),
} as const satisfies { readonly [model: string]: Check }

/** Anomalies of one file that a person is told. */
const TOLD_MAX = 5

/** `holdfast history check`. Fails with CommandError for a file that cannot be read, or is no history of that model. */
export function checkHistories({ files, model, steps, json }: HistoryCheckFlags): ExitCode {
  const checked = files.map((file) => checkFile(file, CHECKERS[model], steps))
  if (json) printJson({ files: checked })
  else for (const each of checked) tell(each)
  return checked.every(({ verdict }) => verdict === 'ok') ? EXIT.ok : EXIT.failure
}

function checkFile(file: string, check: Check, steps: number | undefined): CheckedFile {
  const text = textOf(file)
  try {
    const operations = operationsOf(isJepsenLog(text) ? readJepsenLog(text) : readHistory(text))
    const verdict = check(operations, steps)
    const anomalies = verdict.kind === 'violated' ? verdict.anomalies : []
    return {
      file,
      verdict: verdict.kind,
      operations: operations.length,
      ...(verdict.kind === 'unknown' ? { why: verdict.why } : {}),
      anomalies: anomalies.map(({ name, text: words }) => ({ name, text: words })),
    }
  } catch (error) {
    if (!(error instanceof HistoryError)) throw error
    const cure = 'Give --model that of the history, and a file with one map per event: {:type :invoke, :process 0, …}.'
    throw new CommandError(EXIT.failure, `${file}: ${error.message}`, cure)
  }
}

function tell({ file, verdict, operations, anomalies, why }: CheckedFile): void {
  print(`${verdict.padEnd(8)}  ${file}  ${operations} operations${why === undefined ? '' : `; ${why}`}`)
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
