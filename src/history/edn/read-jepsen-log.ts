import { type HistoryEvent, HistoryError } from '../history.ts'
import { readEdn } from './read-edn.ts'

const EVENT = /(?:^|\s)-\s+(\d+)\s+:(invoke|ok|fail|info)\s+:(read|write|cas)\s+(.+)$/

/** Whether a text is a log of Jepsen's and not a history in EDN. */
export function isJepsenLog(text: string): boolean {
  return /^(?:INFO|WARN|ERROR)\b/.test(text.trimStart())
}

/**
 * The history of one register in the log of a run of Jepsen's: `INFO  jepsen.util - 3 :invoke :cas [1 2]`, a line per event.
 * Lines that tell of anything else are passed over. Such a run says `:fail` of a `cas` that found another value, so it is one
 * that was executed and answered false, and what it found counts. Throws HistoryError where a value cannot be read.
 */
export function readJepsenLog(text: string): readonly HistoryEvent[] {
  return text.split(/\r?\n/).flatMap((line, at) => {
    const [, asker, kind, name, value] = EVENT.exec(line) ?? []
    if (asker === undefined || kind === undefined || name === undefined || value === undefined) return []
    const values = readEdn(value)
    if (values.length !== 1) throw new HistoryError(`line ${at + 1}: there is not one value`)
    const common = { process: Number(asker), name, key: null, time: null, logIndex: null }
    if (kind === 'fail' && name === 'cas') return [{ ...common, kind: 'ok', value: false }]
    return [{ ...common, kind: kind as HistoryEvent['kind'], value: values[0] ?? null }]
  })
}
