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
]
