import { describe, expect, test } from 'vitest'
import {
  readVerdict,
  RESOURCES,
  type ConsentState,
  type ReadCondition,
  type ResourceName,
  type Stage,
} from '../../../../src/machines/index.ts'

const STAGES: readonly Stage[] = [0, 1, 2, 3, 4]
const CONSENTS: readonly ConsentState[] = ['none', 'granted', 'revoked']

/**
 * The table of domain.md §2.7 as it stands in the design: number, our name, own, and the partner's at each stage of the viewer
 * with three letters for none, granted and revoked. A condition stands behind a cell. `nobody`: not even the owner; `S3`: from
 * that stage on.
 */
const TABLE = `
1  rowStatus         A      AAA AAA AAA AAA AAA
2  gateDetails       A      --- --- --- --- ---
3  compactSignature  A      AAA:viewerSigned AAA AAA AAA AAA
4  chatMessages      A      --- --- --- --- ---
5  rawVessel         A      --- --- --- --- ---
6  emotionalReadings A      --- --- --- --- ---
7  consentRecords    A      --- --- --- --- ---
8  consentedContent  A      --- --- -A- -A-:needOrBoundary -A-
9  empathyDraft      A      --- --- --- --- ---
10 empathyAttempt    A      --- --- -A-:revealed -A-:revealed -A-:revealed
11 empathyStatus     A      --- --- AAA AAA AAA
12 shareOffer        A      --- --- --- --- ---
13 sharedContext     A      --- --- -A-:accepted -A-:accepted -A-:accepted
14 reconcilerResult  nobody --- --- --- --- ---
15 abstractGuidance  A      --- --- --- --- ---
16 validationOutcome A      --- --- AAA AAA AAA
17 identifiedNeeds   S3     --- --- --- --- ---
18 sharedNeeds       A      --- --- --- -A- -A-
19 commonGround      A      --- --- --- -A- -A-
20 strategies        A      --- --- --- --- AAA
21 strategyAuthor    nobody --- --- --- --- ---
22 ranking           A      --- --- --- --- AAA:bothRanked
23 overlap           A      --- --- --- --- AAA:bothRanked
24 agreements        A      --- --- --- --- AAA
25 closingWords      A      --- --- --- --- ---`

const rows = TABLE.trim()
  .split('\n')
  .map((line) => {
    const [number = '', name = '', own = '', ...cells] = line.trim().split(/ +/)
    return { number: Number(number), name: name as ResourceName, own, cells }
  })

describe('domain.md §2.7 what a person may read', () => {
  test('has the 25 resources', () => {
    expect(rows.map(({ name }) => name)).toEqual(Object.keys(RESOURCES))
    expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: 25 }, (_, at) => at + 1))
  })

  describe.each(rows)('$number $name', ({ name, own, cells }) => {
    test.each(STAGES)('own, at stage %i, whatever the consent', (stage) => {
      const from = own === 'nobody' ? 5 : own === 'S3' ? 3 : 0
      for (const consent of CONSENTS) expect(readVerdict(name, { of: 'own', stage, consent })).toBe(stage >= from)
    })

    describe.each(STAGES)('the partner’s, seen from stage %i', (stage) => {
      const [letters = '', condition] = (cells[stage] ?? '').split(':')
      test.each(CONSENTS)('with consent %s', (consent) => {
        const readable = letters[CONSENTS.indexOf(consent)] === 'A'
        const look = { of: 'partner', stage, consent } as const
        expect(readVerdict(name, look)).toBe(readable && condition === undefined)
        const holds: ReadCondition[] = condition === undefined ? [] : [condition as ReadCondition]
        expect(readVerdict(name, { ...look, holds })).toBe(readable)
      })
    })
  })

  test('without a consent there is none', () => {
    expect(readVerdict('sharedNeeds', { of: 'partner', stage: 4 })).toBe(false)
  })
})
