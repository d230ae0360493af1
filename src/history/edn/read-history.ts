import { type HistoryEvent, HistoryError, type EventKind } from '../history.ts'
import { type HistoryValue, isList, isMap, Keyword } from './history-value.ts'
import { readEdn } from './read-edn.ts'
import { ednOf, LOST_CAS } from './write-edn.ts'

const KINDS: readonly string[] = ['invoke', 'ok', 'fail', 'info']

/**
 * A history as Jepsen, Knossos and Porcupine write it: maps with `:type`, `:process`, `:f` and `:value`, and `:key` where
 * there are many objects; one after the other or in one vector, on lines or not. What no numbered process did (`:nemesis`)
 * is left out. A `cas` that failed with `:error :another-value` was executed and answered false. Throws HistoryError for what
 * is none.
 */
export function readHistory(text: string): readonly HistoryEvent[] {
  const values = readEdn(text)
  const [only] = values
  const maps = values.length === 1 && isList(only) ? only : values
  return maps.flatMap((map, at) => eventOf(map, at))
}

function eventOf(map: HistoryValue, at: number): readonly HistoryEvent[] {
  if (!isMap(map)) throw new HistoryError(`event ${at} is no map`)
  const { type, process: asker, f, key = null, value = null, time = null, 'log-index': logIndex = null, error } = map
  if (typeof asker !== 'number') return []
  const kind = type instanceof Keyword ? type.name : ''
  if (!isKind(kind)) throw new HistoryError(`event ${at} has a :type that is none of ${KINDS.join(', ')}`)
  if (!(f instanceof Keyword)) throw new HistoryError(`event ${at} has no :f`)
  const lost = kind === 'fail' && f.name === 'cas' && error instanceof Keyword && error.name === LOST_CAS
  return [
    {
      kind: lost ? 'ok' : kind,
      process: asker,
      name: f.name,
      key: key === null || typeof key === 'string' ? key : ednOf(key),
      value: lost ? false : value,
      time: typeof time === 'number' ? time : null,
      logIndex: typeof logIndex === 'number' ? logIndex : null,
    },
  ]
}

function isKind(name: string): name is EventKind {
  return KINDS.includes(name)
}
