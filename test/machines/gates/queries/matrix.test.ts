import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { describe, expect, test } from 'vitest'
import type { Value } from '../../../../src/codec/value/value.ts'
import { command, defineMachine, type MachineDefinition } from '../../../../src/machine/index.ts'
import { sessionTables } from '../../../../src/machines/gates/facts/dialogues.ts'
import { NEW_DIALOGUE, NOTHING_DONE } from '../../../../src/machines/gates/facts/rows.ts'
import { gates, RESOURCES, sessionEvents } from '../../../../src/machines/index.ts'
import { machineHarness } from '../../../../src/testing/index.ts'

/**
 * domain.md §2.7 in the queries themselves: every resource that gates keeps × the viewer's stage × own and partner's × the
 * consent of the owner × the status of the dialogue. Rows are put there, because most of these points no command reaches.
 */

const VIEWER = 'user:v'
const OWNER = 'user:o'
const SID = 'ses-1'
const STAGES = [0, 1, 2, 3, 4] as const
const CONSENTS = ['none', 'granted', 'revoked'] as const
const STATUSES = ['ACTIVE', 'PAUSED', 'RESOLVED', 'ABANDONED'] as const

/** What the partner's cell says at each stage, by hand from the design; three letters for none, granted, revoked. */
const CELLS: { readonly [resource: string]: readonly string[] } = {
  '1 row status': ['AAA', 'AAA', 'AAA', 'AAA', 'AAA'],
  '3 compact signature': ['AAA', 'AAA', 'AAA', 'AAA', 'AAA'],
  '5 events, boundaries': ['---', '---', '---', '---', '---'],
  '7 consent records': ['---', '---', '---', '---', '---'],
  '8 consented content, an event': ['---', '---', '-A-', '---', '-A-'],
  '8 consented content, a boundary': ['---', '---', '-A-', '-A-', '-A-'],
  '9 draft': ['---', '---', '---', '---', '---'],
  '17 identified needs, evidence': ['---', '---', '---', '---', '---'],
  '18 shared needs': ['---', '---', '---', '-A-', '-A-'],
  '19 common ground': ['---', '---', '---', '-A-', '-A-'],
  '20 strategies': ['---', '---', '---', '---', 'AAA'],
  '21 authorship': ['---', '---', '---', '---', '---'],
  '22 ranking': ['---', '---', '---', '---', 'AAA'],
  '23 overlap': ['---', '---', '---', '---', 'AAA'],
  '24 agreements': ['---', '---', '---', '---', 'AAA'],
}

/** Where each would show, and the words by which it is known; `own` is the viewer's first stage for the own one. */
const PROBES: {
  readonly [resource: string]: {
    readonly query: string
    readonly of: (user: string) => string
    readonly own: number | null
  }
} = {
  '1 row status': {
    query: 'progress',
    of: (user) => (user === OWNER ? '"partner":{"stage":4,"status":"' : '"own":{"stage":'),
    own: 0,
  },
  '3 compact signature': {
    query: 'compactStatus',
    of: (user) => (user === OWNER ? '"signedAt":77' : '"signedAt":55'),
    own: 0,
  },
  '5 events, boundaries': { query: 'vessel', of: (user) => `raw event of ${user}`, own: 0 },
  '7 consent records': { query: 'consents', of: (user) => `preview of ${user}`, own: 0 },
  '8 consented content, an event': { query: 'sharedContent', of: (user) => `told event of ${user}`, own: null },
  '8 consented content, a boundary': { query: 'sharedContent', of: (user) => `told boundary of ${user}`, own: null },
  '9 draft': { query: 'draft', of: (user) => `draft of ${user}`, own: 0 },
  '17 identified needs, evidence': { query: 'needs', of: (user) => `evidence of ${user}`, own: 3 },
  '18 shared needs': { query: 'needs', of: (user) => `told need of ${user}`, own: null },
  '19 common ground': { query: 'commonGround', of: () => 'ground of both', own: null },
  '20 strategies': { query: 'strategies', of: (user) => `idea of ${user}`, own: 4 },
  '21 authorship': { query: 'strategies', of: () => 'user:', own: null },
  '22 ranking': { query: 'ranking', of: (user) => `ranked by ${user}`, own: 0 },
  '23 overlap': { query: 'overlap', of: () => 'in both', own: 4 },
  '24 agreements': { query: 'agreements', of: (user) => `agreed with ${user}`, own: 4 },
}

const put = {
  handler: (ctx: { state: { [name: string]: { set(key: unknown, row: unknown): void } } }, rows: readonly Row[]) => {
    for (const { table, key, row } of rows) ctx.state[table]?.set(key, row)
    return null
  },
}
interface Row {
  readonly table: string
  readonly key: Value
  readonly row: Value
}

const rowsInput = z.array(z.object({ table: z.string(), key: z.unknown(), row: z.unknown() }))
const putCommand = command({ input: rowsInput, output: z.null() }, put.handler as never)

/** Gates, with a command that writes rows. */
const planted = {
  ...gates,
  commands: { ...gates.commands, put: { ...putCommand, machine: 'gates', name: 'put' } },
  behaviour: { ...gates.behaviour, commands: { ...gates.behaviour.commands, put } },
} as unknown as MachineDefinition
const dialogues = defineMachine(
  'session',
  { version: 1, state: sessionTables.schema.state, events: sessionEvents.shapes },
  {
    commands: { put: putCommand },
  } as never,
)

type Status = (typeof STATUSES)[number]
type ConsentOf = (typeof CONSENTS)[number]

/** The two have consents of different numbers. */
const sideOf = (user: string): number => (user === OWNER ? 0 : 10)

function personRows(user: string, stage: number, consent: ConsentOf): readonly Row[] {
  const shared = [
    ['IDENTIFIED_NEED', `told need of ${user}`, 1],
    ['EVENT_SUMMARY', `told event of ${user}`, 2],
    ['BOUNDARY', `told boundary of ${user}`, 3],
  ] as const
  const need = { source: 'AI', need: 'n', category: 'SAFETY', description: 'd', evidence: [`evidence of ${user}`] }
  return [
    ...Array.from({ length: stage + 1 }, (_, at) => ({
      table: 'stages',
      key: [SID, user, at],
      row: { startedAt: 1, completedAt: at < stage ? 2 : null, frozenGates: null },
    })),
    {
      table: 'people',
      key: [SID, user],
      row: {
        ...NOTHING_DONE,
        signedAt: user === OWNER ? 77 : 55,
        draft: { content: `draft of ${user}`, version: 1, ready: true, updatedAt: 1 },
        ranking: { ids: [`ranked by ${user}`], at: 1 },
      },
    },
    {
      table: 'events',
      key: [SID, user, 1],
      row: { description: `raw event of ${user}`, attributedTo: 'OWN', emotions: [], at: 1 },
    },
    {
      table: 'needs',
      key: [SID, user, 1],
      row: { ...need, aiConfidence: 1, decision: 'CONFIRMED', adjustment: null, at: 1 },
    },
    ...shared.map(([contentType, content, number]) => {
      const row = { contentType, originalId: 'x', transformedPreview: `preview of ${user}` }
      // Without a grant there is a request, undecided or denied, and nothing that could be shown.
      if (consent === 'none') {
        const decision = number === 1 ? null : 'DENIED'
        return { table: 'requests', key: [SID, user, number], row: { ...row, decision, decidedAt: null } }
      }
      const revokedAt = consent === 'revoked' ? 2 : null
      return {
        table: 'consents',
        key: [SID, number + sideOf(user)],
        row: { ...row, owner: user, content, grantedAt: 1, revokedAt },
      }
    }),
    {
      table: 'strategies',
      key: [SID, user === OWNER ? 1 : 2],
      row: {
        author: user,
        source: 'USER',
        description: `idea of ${user === OWNER ? OWNER : VIEWER}`.replace('user:', ''),
        needsAddressed: [],
        duration: null,
        measureOfSuccess: null,
        at: 1,
      },
    },
  ]
}

/** The viewer at a stage, the owner with everything there can be, under one consent, in one status. */
function worldOf(stage: number, consent: ConsentOf, status: Status) {
  const harness = machineHarness([planted, dialogues] as readonly MachineDefinition[], { guard: false })
  const viewer = harness.session(VIEWER)
  const both = {
    sourceNeedA: `con-${1 + sideOf(OWNER)}`,
    sourceNeedB: `con-${1 + sideOf(VIEWER)}`,
    confirmedBy: [],
    confirmedAt: null,
    at: 1,
  }
  const agreement = {
    strategyId: null,
    type: 'CHECK_IN',
    duration: null,
    measureOfSuccess: null,
    followUpAt: null,
    status: 'AGREED',
    agreedBy: [],
    agreedAt: 1,
    replacedBy: null,
    proposedBy: OWNER,
  }
  const together: readonly Row[] = [
    {
      table: 'dialogues',
      key: SID,
      row: { ...NEW_DIALOGUE, phase: 'REVEALING', overlap: { ids: ['in both'], at: 1 } },
    },
    {
      table: 'commonGround',
      key: [SID, 1],
      row: { need: 'n', category: 'SAFETY', description: 'ground of both', ...both },
    },
    {
      table: 'agreements',
      key: [SID, 1],
      row: { description: `agreed with ${OWNER}, agreed with ${VIEWER}`, ...agreement },
    },
  ]
  const rows = [...personRows(VIEWER, stage, 'granted'), ...personRows(OWNER, 4, consent), ...together]
  const dialogue = { creatorId: VIEWER, partnerId: OWNER, id: SID, status }
  for (const [machine, given] of [
    ['gates', rows],
    ['session', [{ table: 'dialogues', key: SID, row: dialogue }]],
  ] as const) {
    const outcome = viewer.execute(machine, 'put', given as unknown as Value)
    if (outcome.kind !== 'ok') throw new Error(JSON.stringify(outcome))
  }
  return (query: string): string => {
    const outcome = viewer.query('gates', query, { sid: SID, ...(query === 'gates' ? { stage } : {}) })
    if (outcome.kind !== 'ok') throw new Error(`${query}: ${outcome.code}`)
    return JSON.stringify(outcome.value)
  }
}

/** All that take a dialogue and nothing else, or a stage. */
const EVERY_QUERY = Object.keys(gates.queries).filter(
  (name) => !['canRetrieve', 'retrieved', 'violations', 'refusals'].includes(name),
)

describe('domain.md §2.7 every query, resource × stage × own and partner’s × consent × status', () => {
  test('every resource that gates keeps is looked for', () => {
    expect(Object.keys(PROBES)).toEqual(Object.keys(CELLS))
  })

  test.each(STAGES)('2 gate details: of the partner three fields and no more, at stage %i', (stage) => {
    const { partner } = JSON.parse(worldOf(stage, 'granted', 'ACTIVE')('progress')) as { partner: object }
    expect(Object.keys(partner)).toEqual(['stage', 'status', 'online'])
  })

  describe.each(STATUSES)('in a dialogue that is %s', (status) => {
    describe.each(STAGES)('seen from stage %i', (stage) => {
      test.each(CONSENTS)('with consent %s', (consent) => {
        const ask = worldOf(stage, consent, status)
        for (const [resource, cells] of Object.entries(CELLS)) {
          const { query, of, own } = PROBES[resource] ?? { query: '', of: () => '', own: null }
          const answer = ask(query)
          const partners = of(OWNER).replace(/^(idea of )user:/, '$1')
          const readable = cells[stage]?.[CONSENTS.indexOf(consent)] === 'A'
          expect([resource, answer.includes(partners)]).toEqual([resource, readable])
          // Nor does it show where one would not look for it. Names stand in every text that is one's own.
          const elsewhere = readable || resource === '21 authorship' ? [] : EVERY_QUERY
          expect([resource, elsewhere.filter((name) => ask(name).includes(partners))]).toEqual([resource, []])
          if (own !== null)
            expect([resource, answer.includes(of(VIEWER).replace(/^(idea of )user:/, '$1'))]).toEqual([
              resource,
              stage >= own,
            ])
        }
      })
    })
  })
})

/** domain.md §2.7: rows whose cells queries of this machine ask for, and where each shows at stage 4 with a consent. */
const ASKED = {
  compactSignature: '3 compact signature',
  consentedContent: '8 consented content, an event',
  sharedNeeds: '18 shared needs',
  commonGround: '19 common ground',
  strategies: '20 strategies',
  ranking: '22 ranking',
  overlap: '23 overlap',
  agreements: '24 agreements',
} as const

describe('domain.md §2.7 the queries go by the table', () => {
  const partners = (resource: string): boolean => {
    const { query, of } = PROBES[resource] ?? { query: '', of: () => '' }
    return worldOf(4, 'granted', 'ACTIVE')(query).includes(of(OWNER).replace(/^(idea of )user:/, '$1'))
  }

  test.each(Object.entries(ASKED))('%s: with its cells closed nothing of it shows', (name, resource) => {
    const row = RESOURCES[name as keyof typeof ASKED] as { partner: readonly string[] }
    const { partner } = row
    expect(partners(resource)).toBe(true)
    try {
      row.partner = ['---', '---', '---', '---', '---']
      expect(partners(resource)).toBe(false)
    } finally {
      row.partner = partner
    }
  })

  test('identifiedNeeds: one’s own show from the stage that the table says', () => {
    const row = RESOURCES.identifiedNeeds as { ownFrom: number | null }
    const own = (): boolean => worldOf(4, 'granted', 'ACTIVE')('needs').includes(`evidence of ${VIEWER}`)
    expect(own()).toBe(true)
    try {
      row.ownFrom = null
      expect(own()).toBe(false)
    } finally {
      row.ownFrom = 3
    }
  })

  test('every cell that a query of this machine asks for is tried', () => {
    const sources = ['stage', 'vessel', 'shared'].map((name) =>
      readFileSync(new URL(`../../../../src/machines/gates/queries/${name}-queries.ts`, import.meta.url), 'utf8'),
    )
    const asked = new Set(
      Object.keys(RESOURCES).filter((name) => sources.some((source) => source.includes(`'${name}'`))),
    )
    // A guess and a shared strategy are tried beside their consents (`commands/consents`, `repeats`).
    expect([...asked].sort()).toEqual(
      [...Object.keys(ASKED), 'identifiedNeeds', 'empathyAttempt', 'strategyAuthor'].sort(),
    )
  })
})
