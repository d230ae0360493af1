import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { agreement } from '../../../bench/agreement.ts'
import { LocalCluster } from '../../../src/cli/cluster/local-cluster.ts'
import { concierge, reconciler, gates, payments, session } from '../../../src/cli/demo/demo-machines.ts'
import type { Flow, Seen } from '../../../src/cli/demo/flow.ts'
import { bookingFlow } from '../../../src/cli/demo/flows/booking-flow.ts'
import { conciergeFlow } from '../../../src/cli/demo/flows/concierge-flow.ts'
import { dialogueFlow } from '../../../src/cli/demo/flows/dialogue-flow.ts'
import { exchangeFlow } from '../../../src/cli/demo/flows/exchange-flow.ts'
import { play, principalOf } from '../../../src/cli/demo/player.ts'
import { SessionSide } from '../../../src/cli/demo/session-side.ts'
import { packageFacts } from '../../../src/cli/package-root.ts'
import type { MachineDefinition } from '../../../src/machine/index.ts'
import { playOnHarness } from '../../cli/demo/harness-sides.ts'
import { sample } from '../../effort.ts'
import { compileOnce, killAll } from '../processes.ts'
import { transcriptOf } from './flow-transcript.ts'
import { type KillPlan, LeaderKills, MOMENTS } from './leader-kills.ts'

/** Runs of a flow; in each the leader is killed at every third step, so that over them it is at every one. */
const RUNS = 3
/** The long form: at every call, at every moment of it. */
const EVERY_CALL = sample(1) > 1

let cluster: LocalCluster
let directory = ''
let runs = 0

beforeAll(async () => {
  compileOnce()
  directory = await mkdtemp(join(tmpdir(), 'holdfast-flows-'))
  const machines = join(packageFacts().root, 'dist/src/cli/demo/demo-machines.js')
  cluster = await LocalCluster.start({ nodes: 3, directory: join(directory, 'd'), machines })
})

afterAll(async () => {
  await killAll(cluster)
  await rm(directory, { recursive: true, force: true })
})

/** What each side sees of a flow on the three processes. */
async function playOnCluster(flow: Flow, plan: KillPlan): Promise<string[]> {
  runs += 1
  const suffix = `-run${runs}`
  const kills = new LeaderKills(cluster, plan)
  const { endpoints } = cluster
  const sides = new Map<string, SessionSide>()
  for (const [member, { roles }] of Object.entries(flow.cast)) {
    sides.set(member, await SessionSide.open({ endpoints, principal: principalOf(flow, member, suffix), roles }))
  }
  const seen: Seen[] = []
  const players = new Map([...sides].map(([member, side]) => [member, kills.around(side)]))
  await play({ flow, sides: players, now: Date.now(), suffix, see: (line) => seen.push(line) })
  await kills.settled()
  // The next run's workers must be given its tasks.
  expect(await Promise.all([...sides.values()].map((side) => side.close()))).toEqual([...sides].map(() => true))
  expect(kills.count).toBe(plan.size)
  return transcriptOf(seen, suffix)
}

/** The steps of a flow, with the numbers of their calls. */
function stepsOf(seen: readonly Seen[]): { readonly step: string; readonly calls: readonly number[] }[] {
  const calls = seen.filter(({ kind }) => kind === 'command' || kind === 'query')
  return [...new Set(calls.map(({ step }) => step))].map((step) => ({
    step,
    calls: calls.flatMap((call, number) => (call.step === step ? [number] : [])),
  }))
}

/** Where the leader is killed in the runs: at some call of each step, in turn another one of it and at another moment. */
function plansOf(seen: readonly Seen[]): KillPlan[] {
  const steps = stepsOf(seen)
  if (EVERY_CALL) {
    return MOMENTS.flatMap((moment) =>
      [0, 1].map((odd) => {
        const calls = steps.flatMap((step) => step.calls).filter((number) => number % 2 === odd)
        return new Map(calls.map((number) => [number, moment] as const))
      }),
    )
  }
  return Array.from({ length: RUNS }, (_, run) => {
    const points = steps.flatMap(({ calls }, at) => {
      const number = calls[at % calls.length]
      // "During" is what costs most trouble: an answer may be lost whose command was executed.
      const moment = MOMENTS[Math.floor(at / RUNS) % MOMENTS.length]
      return at % RUNS === run && number !== undefined && moment !== undefined ? [[number, moment] as const] : []
    })
    return new Map(points)
  })
}

describe.each<[what: string, flow: Flow, machines: readonly MachineDefinition[]]>([
  ['domain.md §1.9 §2.9 the dialogue', dialogueFlow({ exchange: true }), [session, gates, reconciler]],
  ['domain.md §4.10 the exchange', exchangeFlow, [session, gates, reconciler]],
  ['domain.md §3.10 the booking', bookingFlow, [payments]],
  ['domain.md §5.8 the conversation', conciergeFlow, [concierge]],
])('%s on three processes', (_what, flow, machines) => {
  test('gives every side the same while the leader is killed at every step as the machines alone do', async () => {
    const alone = await playOnHarness(flow, machines)
    const promised = transcriptOf(alone, '')
    expect(await playOnCluster(flow, new Map())).toEqual(promised)
    const plans = plansOf(alone)
    const killedAt = plans.flatMap((plan) => [...plan.keys()])
    expect(stepsOf(alone).filter(({ calls }) => !calls.some((number) => killedAt.includes(number)))).toEqual([])
    for (const plan of plans) {
      const transcript = await playOnCluster(flow, plan)
      expect(transcript, `kills at ${JSON.stringify([...plan])}`).toEqual(promised)
    }
    await agreement(cluster.endpoints)
  })
})

test('a transcript leaves out what differs between runs, and nothing else', () => {
  const seen = (id: string, at: number, by: string): Seen => ({
    kind: 'told',
    step: '1',
    member: 'ann',
    topic: 'x',
    body: { id, again: `${id}-secret`, at, by, amountMinor: 500_000 },
  })
  const one = transcriptOf([seen('ses-1', 1_700_000_000_000, 'user:ann')], '')
  expect(transcriptOf([seen('ses-7', 1_800_000_000_001, 'user:ann-run3')], '-run3')).toEqual(one)
  expect(one[0]).toContain('{"id":"ses#1","again":"ses#1-secret","at":"a time","by":"user:ann","amountMinor":500000}')
  const two = [seen('ses-1', 1, ''), seen('ses-2', 1, '')]
  expect(transcriptOf(two, '')).not.toEqual(transcriptOf([seen('ses-1', 1, ''), seen('ses-1', 1, '')], ''))
})
