import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Damage, FileKind } from './cases.ts'

const PAGE_BYTES = 4096
/** LevelDB gives its next files these numbers, one of which a start takes. */
const NUMBERS_AHEAD = 12

/** Paths of a file of that kind in a stopped or running node's directory: those that are there, the one that counts last. */
export function pathsOf(kind: FileKind, data: string): readonly string[] {
  const group = join(data, 'group-0')
  const log = join(group, 'log')
  const segments = below(log, /\.wal$/)
  const used = segments.filter(isUsed)
  const state = join(group, stateIn(group))
  const level = (pattern: RegExp): readonly string[] => below(state, pattern)
  switch (kind) {
    case 'newest-segment':
      return used.slice(-1)
    case 'older-segment':
      return used.slice(0, -1)
    case 'spare-segment':
      return segments.filter((path) => !used.includes(path))
    case 'marker':
      return [join(group, 'marker')]
    case 'obligation':
      return [join(group, 'obligation')]
    case 'current':
      return [join(group, 'CURRENT')]
    case 'identity':
      return [join(data, 'HOLDFAST.json')]
    case 'table':
      return level(/\.ldb$/)
    case 'level-log':
      return level(/^\d+\.log$/)
    case 'manifest':
      return level(/^MANIFEST-/)
    case 'level-current':
      return level(/^CURRENT$/)
    case 'lock':
      return [join(data, 'LOCK')]
    case 'trail':
      return [join(group, 'applied')]
  }
}

/** Paths that a node may write or read as that kind from now on, whether they are there or not. */
export function pathsAhead(kind: FileKind, data: string): readonly string[] {
  const now = pathsOf(kind, data)
  const state = join(data, 'group-0', stateIn(join(data, 'group-0')))
  switch (kind) {
    // Writes may go on in the one after it at once.
    case 'newest-segment':
      return [...now, ...pathsAhead('spare-segment', data)]
    case 'spare-segment': {
      const last = Math.max(...below(join(data, 'group-0/log'), /\.wal$/).map((path) => Number(path.slice(-12, -4))))
      const next = Array.from({ length: 4 }, (_, at) => `${String(last + 1 + at).padStart(8, '0')}.wal`)
      return [...now, ...next.map((name) => join(data, 'group-0/log', name))]
    }
    case 'obligation':
    case 'identity':
    case 'trail':
    case 'current':
      return [...now, `${now[0]}.new`]
    case 'table':
      return [...now, ...ahead(state, (number) => `${number}.ldb`)]
    case 'manifest':
      return [...now, ...ahead(state, (number) => `MANIFEST-${number}`)]
    case 'level-current':
      return [...now, ...ahead(state, (number) => `${number}.dbtmp`)]
    default:
      return now
  }
}

/** Damages the bytes of a stopped node's file; false: there is nothing to damage. */
export function damage(path: string | undefined, how: Damage): boolean {
  if (path === undefined || !existsSync(path)) return false
  const bytes = readFileSync(path)
  if (bytes.length === 0) return false
  const end = bytes.findLastIndex((byte) => byte !== 0) + 1
  const at = Math.floor(end / 3)
  // What holds nothing but zeros has nothing to lose but its length.
  if (how === 'truncate') truncateSync(path, end === 0 ? Math.floor(bytes.length / 2) : at)
  else {
    // Between frames lie zeros, up to the next sector, of which nothing is.
    const said = bytes.findIndex((byte, place) => place >= at && byte !== 0)
    if (how === 'flip') bytes[said] = (bytes[said] ?? 0) ^ 0x10
    else bytes.fill(0, pageOf(at), Math.min(bytes.length, pageOf(at) + PAGE_BYTES))
    writeFileSync(path, bytes)
  }
  return true
}

/** A bit of a record of an older segment, so that the node owes what is behind it. */
export function rotOlderSegment(data: string): boolean {
  return damage(pathsOf('older-segment', data).at(-1) ?? pathsOf('newest-segment', data).at(-1), 'flip')
}

function pageOf(at: number): number {
  return Math.floor(at / PAGE_BYTES) * PAGE_BYTES
}

function isUsed(path: string): boolean {
  return readFileSync(path).some((byte) => byte !== 0)
}

function below(directory: string, pattern: RegExp): readonly string[] {
  const names = existsSync(directory) ? readdirSync(directory).filter((name) => pattern.test(name)) : []
  return names.toSorted().map((name) => join(directory, name))
}

function stateIn(group: string): string {
  const path = join(group, 'CURRENT')
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : 'state-0'
}

function ahead(state: string, nameOf: (number: string) => string): readonly string[] {
  const numbers = readdirSync(state).map((name) => Number(/\d+/.exec(name)?.[0] ?? 0))
  const last = Math.max(0, ...numbers)
  return Array.from({ length: NUMBERS_AHEAD }, (_, at) => join(state, nameOf(String(last + 1 + at).padStart(6, '0'))))
}
