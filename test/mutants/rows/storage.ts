import type { Catcher, Mutant } from '../mutant.ts'

const tests = (...files: readonly string[]): Catcher => ({ kind: 'tests', files })

/** Log, snapshot and data directory. */
export const STORAGE: readonly Mutant[] = [
  {
    id: 'storage/torn-before-a-later-write',
    breaks: 'a damaged write that a later one follows is cut off as if it were torn',
    file: 'src/storage/opening/scan-segment.ts',
    find: 'if (later !== null && later.write >= write) {',
    replace: 'if (later !== null && later.write < 0) {',
    caughtBy: tests('test/storage/opening/log-damage.test.ts'),
  },
  {
    id: 'storage/rot-taken-for-torn',
    breaks: 'a write with a wrong checksum that lost no sector is cut off as if it were torn',
    file: 'src/storage/opening/scan-segment.ts',
    find: "if (body === 'wrong') return rot(end, 'A checksum of the records written there does not match.')",
    replace: "if (body === 'wrong') return tornTail(input, { frames, end, checksum })",
    caughtBy: tests('test/storage/opening/log-damage.test.ts'),
  },
  {
    id: 'storage/lost-marker-taken-for-new',
    breaks: 'a log without its marker is opened as if nothing were missing',
    file: 'src/storage/opening/inspect-log.ts',
    find: 'if (this.marker.newest !== null) return null',
    replace: 'if (this.marker.newest !== null || this.sequences.length >= 0) return null',
    caughtBy: tests('test/storage/opening/lost-sectors.test.ts'),
  },
  {
    id: 'storage/lost-header-deleted',
    breaks: 'a segment whose header is lost is deleted with its entries',
    file: 'src/storage/opening/inspect-log.ts',
    find: 'if (isAllZero(bytes)) return next()',
    replace: 'if (isAllZero(bytes) || bytes.length > 0) return next()',
    caughtBy: tests('test/storage/opening/lost-sectors.test.ts'),
  },
  {
    id: 'storage/marker-in-one-slot',
    breaks: 'the position that stays is in one slot of the marker alone',
    file: 'src/storage/log/marker-file.ts',
    find: 'if (this.wanted === null && !second) {',
    replace: 'if (this.wanted !== null && !second) {',
    caughtBy: tests('test/storage/log/log-writing.test.ts'),
  },
  {
    id: 'storage/failed-marker-ignored',
    breaks: 'a marker that could not be synced is taken for written',
    file: 'src/storage/log/marker-file.ts',
    find: 'file.sync((synced) => done(synced.ok ? null : faultOf(synced.error)))',
    replace: 'file.sync((synced) => done(synced.ok ? null : null))',
    caughtBy: tests('test/storage/log/log-faults.test.ts'),
  },
  {
    id: 'storage/lock-taken-over-unchecked',
    breaks: 'a lock is taken over although somebody else did so meanwhile',
    file: 'src/storage/disk/lock-file.ts',
    find: 'if (textIn(name) !== text) {',
    replace: "if (text === 'never') {",
    caughtBy: tests('test/storage/disk/lock-race.test.ts'),
  },
]
