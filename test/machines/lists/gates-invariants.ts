import assert from 'node:assert/strict'
import type { TableViews } from '../../../src/machine/index.ts'
import { sessionTables } from '../../../src/machines/gates/facts/dialogues.ts'
import { type GateFacts, gateFactsOf } from '../../../src/machines/gates/facts/gate-facts.ts'
import { factTables } from '../../../src/machines/gates/facts/gates-schema.ts'
import { NOTHING_DONE } from '../../../src/machines/gates/facts/rows.ts'
import { GATE_KEYS, type gates, gateValues, type Stage } from '../../../src/machines/index.ts'
import type { ReadTables } from '../../../src/testing/index.ts'

const ALL = { limit: 1_000 }
export const STAGES: readonly Stage[] = [0, 1, 2, 3, 4]

type Tables = TableViews<typeof gates.schema>

/** Two people who are in a dialogue, or were. */
interface Pair {
  readonly sid: string
  readonly users: readonly [string, string]
  readonly status: string
  readonly facts: GateFacts
}

type Invariant = (tables: Tables, read: ReadTables) => void

/** PG1, PG5, PG6 and PG8: must hold of every dialogue after every entry; `reach` is told what was seen. */
export function gatesInvariants(reach: (what: string) => void): { readonly [name: string]: Invariant } {
  const each = (check: (pair: Pair, tables: Tables, reach: (what: string) => void) => void): Invariant => {
    return (tables, read) => {
      for (const pair of pairsOf(read)) check(pair, tables, reach)
    }
  }
  return {
    'PG1 stages rise one by one, each left with all of its keys': each(stagesRise),
    'PG5 keys are functions of the facts, and none is true before its facts': each(keysHold),
    'PG6 symmetric keys agree': each(keysAgree),
    'PG8 nobody is at 4 while the other is below 3': each(({ sid, users }, tables) => {
      const [one = 0, other = 0] = users.map((user) => stagesOf(tables, sid, user).length - 1)
      if (Math.max(one, other) === 4) assert.ok(Math.min(one, other) >= 3)
    }),
    'an overlap is there just while both have ranked': each(({ sid, users }, tables) => {
      const ranked = users.every((user) => (tables.people.get([sid, user])?.ranking ?? null) !== null)
      assert.equal((tables.dialogues.get(sid)?.overlap ?? null) !== null, ranked)
      reach(`phase ${tables.dialogues.get(sid)?.phase ?? 'none'}`)
    }),
    'what is agreed was agreed by both': each(agreedByBoth),
  }
}

function pairsOf(read: ReadTables): readonly Pair[] {
  const rows = read(sessionTables).dialogues.range(ALL)
  return rows.flatMap(([sid, { creatorId, partnerId, status }]) => {
    if (partnerId === null) return []
    const users = [creatorId, partnerId] as const
    return [{ sid, users, status, facts: gateFactsOf(factTables({ read }), sid, users) }]
  })
}

const stagesOf = (tables: Tables, sid: string, user: string) => tables.stages.range({ prefix: [sid, user], ...ALL })

function stagesRise({ sid, users, status }: Pair, tables: Tables, reach: (what: string) => void): void {
  for (const user of users) {
    const rows = stagesOf(tables, sid, user)
    if (rows.length > 0) reach(`stage ${rows.length - 1}`)
    for (const [stage, [[, , number], { completedAt, frozenGates }]] of rows.entries()) {
      assert.equal(number, stage)
      const left = stage < rows.length - 1 || status === 'RESOLVED'
      assert.equal(completedAt !== null, left)
      assert.deepEqual(frozenGates, left ? GATE_KEYS[stage as Stage] : null)
    }
  }
}

function keysHold({ sid, users: [user, partner], facts }: Pair, tables: Tables): void {
  const one = tables.people.get([sid, user]) ?? NOTHING_DONE
  const other = tables.people.get([sid, partner]) ?? NOTHING_DONE
  const overlap = tables.dialogues.get(sid)?.overlap ?? null
  const agreed = tables.agreements.range({ prefix: [sid], ...ALL }).some(([, { status }]) => status !== 'ABANDONED')
  assert.deepEqual(gateValues(facts, user, 0), {
    compactSigned: one.signedAt !== null,
    partnerCompactSigned: other.signedAt !== null,
  })
  assert.deepEqual(gateValues(facts, user, 1), { feelHeardConfirmed: one.feelHeardAt !== null })
  assert.deepEqual(gateValues(facts, user, 4), {
    strategiesSubmitted: one.ready !== null && other.ready !== null,
    rankingsSubmitted: one.ranking !== null && other.ranking !== null,
    overlapIdentified: overlap !== null,
    agreementCreated: agreed,
  })
}

function keysAgree({ users, facts }: Pair, _tables: Tables, reach: (what: string) => void): void {
  const [a, b] = users.map((user) => {
    const keys: { [key: string]: boolean } = {}
    for (const stage of STAGES) Object.assign(keys, gateValues(facts, user, stage))
    return keys
  })
  for (const [own, partners] of [
    ['compactSigned', 'partnerCompactSigned'],
    ['needsConfirmed', 'partnerNeedsConfirmed'],
    ['empathyConsented', 'partnerConsented'],
  ] as const) {
    assert.deepEqual([a?.[own], a?.[partners]], [b?.[partners], b?.[own]])
  }
  for (const key of ['commonGroundConfirmed', ...GATE_KEYS[4]]) assert.equal(a?.[key], b?.[key], key)
  for (const [key, value] of Object.entries(a ?? {})) if (value) reach(`key ${key}`)
}

function agreedByBoth({ sid, users }: Pair, tables: Tables, reach: (what: string) => void): void {
  for (const [, { status, agreedBy }] of tables.agreements.range({ prefix: [sid], ...ALL })) {
    reach(`agreement ${status}`)
    if (status === 'AGREED') assert.deepEqual([...agreedBy].sort(), [...users].sort())
  }
  for (const [, { revokedAt }] of tables.consents.range({ prefix: [sid], ...ALL })) {
    reach(`consent ${revokedAt === null ? 'GRANTED' : 'REVOKED'}`)
  }
  for (const [, { decision }] of tables.requests.range({ prefix: [sid], ...ALL })) reach(`request ${decision}`)
}
