import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { retrievalVerdict, type Stage } from '../../../../src/machines/index.ts'
import { sample } from '../../../effort.ts'

const ME = 'user:me'
const STAGES: readonly Stage[] = [0, 1, 2, 3, 4]

/** The table of domain.md §2.6 as it stands in the design: number, type, source, owner, and a cell for each stage. */
const TABLE = `
1  session_metadata      metadata   -       A A A - -
2  relationship_metadata metadata   -       A A A - -
3  session_outcomes      structured -       A - - - -
4  user_event            structured self    - A A - -
5  user_event            structured partner - - - - -
6  user_event            vector     self    - A A - -
7  user_event            vector     partner - - - - -
8  user_event            metadata   self    - A A - -
9  user_event            metadata   partner - - - - -
10 emotional_reading     structured self    - A A - -
11 emotional_reading     structured partner - - - - -
12 emotional_reading     vector     self    - A A - -
13 emotional_reading     vector     partner - - - - -
14 emotional_reading     metadata   self    - A A - -
15 emotional_reading     metadata   partner - - - - -
16 need                  structured self    - A A A -
17 need                  structured partner - - - - -
18 need                  vector     self    - A A A -
19 need                  vector     partner - - - - -
20 need                  metadata   self    - A A A -
21 need                  metadata   partner - - - - -
22 boundary              structured self    - A A - -
23 boundary              structured partner - - - - -
24 consented_content     structured -       - - A A A
25 common_ground         structured -       - - A A A
26 agreement             structured -       - - A - A
27 micro_experiment      structured -       - - - - A
28 experiment_suggestion vector     -       - - - - A`

const rows = TABLE.trim()
  .split('\n')
  .map((line) => {
    const [number = '', type = '', source = '', owner = '', ...cells] = line.trim().split(/ +/)
    return { number: Number(number), type, source, owner, cells, query: queryOf(type, source, owner) }
  })

/** The legal shape of each type (domain.md §2.6). */
function queryOf(type: string, source: string, owner: string): { readonly [field: string]: unknown } {
  const userId = owner === 'self' ? ME : 'user:other'
  switch (type) {
    case 'session_metadata':
    case 'relationship_metadata':
    case 'session_outcomes':
      return { type, source }
    case 'consented_content':
      return { type, vessel: 'shared', source, consentActive: true }
    case 'common_ground':
    case 'agreement':
    case 'micro_experiment':
      return { type, vessel: 'shared', source }
    case 'experiment_suggestion':
      return { type, vessel: 'global', source }
    default:
      return { type, vessel: 'user', source, userId }
  }
}

describe('domain.md §2.6 the verdict table', () => {
  test('has 28 points, 140 cells, 40 allowed: 3, 12, 15, 5, 5 per stage', () => {
    expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: 28 }, (_, at) => at + 1))
    const allowed = STAGES.map((stage) => rows.filter(({ cells }) => cells[stage] === 'A').length)
    expect(allowed).toEqual([3, 12, 15, 5, 5])
  })

  describe.each(rows)('PG2 $number $type / $source / $owner', ({ query, cells }) => {
    test.each(STAGES)('at stage %i', (stage) => {
      const verdict = cells[stage] === 'A' ? 'ALLOWED' : 'RETRIEVAL_DENIED'
      expect(retrievalVerdict(query, stage, ME)).toBe(verdict)
    })
  })
})

describe('domain.md §2.6 what cannot be asked for', () => {
  const shapes: readonly (readonly [why: string, query: unknown])[] = [
    ['AI synthesis', { type: 'ai_synthesis', source: 'structured' }],
    ['the reconciler’s analysis', { type: 'reconciler_result', source: 'structured' }],
    ['documents', { type: 'document', source: 'vector' }],
    ['the partner’s vessel', { type: 'user_event', vessel: 'partner', source: 'structured', userId: ME }],
    [
      'vector search over shared content',
      { type: 'consented_content', vessel: 'shared', source: 'vector', consentActive: true },
    ],
    [
      'consentActive false',
      { type: 'consented_content', vessel: 'shared', source: 'structured', consentActive: false },
    ],
    ['consentActive missing', { type: 'consented_content', vessel: 'shared', source: 'structured' }],
    ['a structured search of the library', { type: 'experiment_suggestion', vessel: 'global', source: 'structured' }],
    ['a boundary by vector', { type: 'boundary', vessel: 'user', source: 'vector', userId: ME }],
    ['no userId', { type: 'need', vessel: 'user', source: 'structured' }],
    ['a userId that is no text', { type: 'need', vessel: 'user', source: 'structured', userId: 7 }],
    ['one field more', { type: 'session_metadata', source: 'metadata', userId: ME }],
    ['nothing', null],
    ['a text', 'need'],
    ['a list', []],
  ]

  test.each(shapes)('%s is INVALID_QUERY at every stage', (_why, query) => {
    for (const stage of STAGES) expect(retrievalVerdict(query, stage, ME)).toBe('INVALID_QUERY')
  })

  test('PG2 a changed field of a legal query is never allowed where the table does not say so', () => {
    const fields = ['type', 'vessel', 'source', 'userId', 'consentActive', 'more']
    const values = [...rows.flatMap(({ query }) => Object.values(query)), 'x', true, false, null, 3]
    const changed = fc.tuple(fc.constantFrom(...rows), fc.constantFrom(...fields), fc.constantFrom(...values))
    fc.assert(
      fc.property(changed, fc.constantFrom(...STAGES), ([row, field, value], stage) => {
        const query = { ...row.query, [field]: value }
        const same = rows.find((known) => sameFields(known.query, query))
        const cell = same === undefined ? 'INVALID_QUERY' : same.cells[stage] === 'A' ? 'ALLOWED' : 'RETRIEVAL_DENIED'
        expect(retrievalVerdict(query, stage, ME)).toBe(cell)
      }),
      { numRuns: sample(1_000) },
    )
  })
})

/** Equal, whatever other person a query names. */
function sameFields(
  known: { readonly [field: string]: unknown },
  query: { readonly [field: string]: unknown },
): boolean {
  const text = (given: object): string =>
    JSON.stringify(
      Object.entries(given)
        .map(([field, value]) => [
          field,
          field === 'userId' && value !== ME && typeof value === 'string' ? 'other' : value,
        ])
        .sort(),
    )
  return text(known) === text(query)
}
