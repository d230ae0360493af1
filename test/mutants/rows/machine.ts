import type { Catcher, Mutant } from '../mutant.ts'

const INDEXES: Catcher = { kind: 'tests', files: ['test/machine/run/indexes-property.test.ts'] }
const MIGRATION: Catcher = { kind: 'tests', files: ['test/machine/run/index-migration.test.ts'] }

/** The kit: indexes of tables, and the keys in order that they rest on. */
export const MACHINE: readonly Mutant[] = [
  {
    id: 'machine/index-row-left',
    breaks: 'an update leaves the row of the index that stood for the fields before',
    file: 'src/machine/run/indexed-table.ts',
    find: 'if (before !== null) store.delete(prefix + before + primary)',
    replace: 'if (before !== null && after === null) store.delete(prefix + before + primary)',
    caughtBy: INDEXES,
  },
  {
    id: 'machine/index-row-of-deleted',
    breaks: 'a row that is deleted stays in the index',
    file: 'src/machine/run/indexed-table.ts',
    find: '    this.compare(before, undefined)\n',
    replace: '',
    caughtBy: INDEXES,
  },
  {
    id: 'machine/index-row-survives-rollback',
    breaks: 'a command that is rolled back keeps the rows of indexes that it wrote',
    file: 'src/session/rows/write-buffer.ts',
    find: 'for (let at = 0; at < this.rows.size; at += 1) this.drop(at)\n    this.clear()',
    replace:
      "for (let at = 0; at < this.rows.size; at += 1)\n      if (this.rows.at(at).key.includes('/.')) this.move(at)\n      else this.drop(at)\n    this.clear()",
    caughtBy: INDEXES,
  },
  {
    id: 'machine/first-key-of-chunk-forgotten',
    breaks: 'a key that comes before all others of its chunk is looked for in the chunk before',
    file: 'src/session/rows/ordered-keys.ts',
    find: '    if (position === 0) this.firsts[at] = key\n',
    replace: '',
    caughtBy: { kind: 'tests', files: ['test/session/rows/dictionary.test.ts'] },
  },
  {
    id: 'machine/index-fraction-unordered',
    breaks: 'an index orders negative fractions by their size',
    file: 'src/machine/run/index-place.ts',
    find: 'codec.keyPart(~high >>> 0) + codec.keyPart(~low >>> 0)',
    replace: 'codec.keyPart((~high >>> 0) ^ 0x7fffffff) + codec.keyPart(low)',
    caughtBy: INDEXES,
  },
  {
    id: 'machine/index-page-repeats',
    breaks: 'a page of an index begins with the last row of the one before',
    file: 'src/machine/run/index-reader.ts',
    find: 'greater(from, `${last}\\u0000`)',
    replace: 'greater(from, last)',
    caughtBy: INDEXES,
  },
  {
    id: 'machine/index-not-built',
    breaks: 'an index that a new version declares is without the rows that are there',
    file: 'src/machine/run/index-migration.ts',
    find: 'if (known === undefined) yield* build',
    replace: 'if (known !== undefined) yield* build',
    caughtBy: MIGRATION,
  },
  {
    id: 'machine/index-gone-kept',
    breaks: 'the rows of an index that a new version does not declare stay',
    file: 'src/machine/run/index-migration.ts',
    find: 'if (declared.has(prefix)) {',
    replace: 'if (declared.size > 0) {',
    caughtBy: MIGRATION,
  },
  {
    id: 'machine/index-out-of-fingerprint',
    breaks: 'two builds that order a table otherwise take each other for the same machine',
    file: 'src/machine/define/identity.ts',
    find: '...(indexes.length === 0 ? [] : [indexes])',
    replace: '...(indexes.length === 0 ? [] : [])',
    caughtBy: { kind: 'tests', files: ['test/machine/define/indexes.test.ts'] },
  },
  {
    id: 'machine/index-field-of-any-kind',
    breaks: 'a machine may declare an index on a field that has no place in a key',
    file: 'src/machine/define/indexes.ts',
    find: "kinds.add('other')\n  }",
    replace: "kinds.add('text')\n  }",
    caughtBy: { kind: 'tests', files: ['test/machine/define/indexes.test.ts'] },
  },
]
