import { expect, test } from 'vitest'
import { z } from 'zod'
import { Random } from '../../src/base/random.ts'
import { encodeClientRequest } from '../../src/codec/entry/client-request.ts'
import { DEFAULT_LIMITS } from '../../src/codec/entry/default-limits.ts'
import type { EntryKind } from '../../src/codec/entry/entry.ts'
import { encodePayload } from '../../src/codec/entry/payload-codec.ts'
import { sessionCodec } from '../../src/codec/session-codec.ts'
import { command, defineMachine, mount, query, table } from '../../src/machine/index.ts'
import type { Reply } from '../../src/session/state-machine.ts'
import type { NodeObserver } from '../../src/sim/world/node-observer.ts'
import { SimulatedCluster } from '../../src/sim/world/simulated-cluster.ts'
import type { SimulatedNode } from '../../src/sim/world/simulated-node.ts'

const ROWS = 400
const SEED = 7
/** What one row costs each node, µs: slices have other lengths at each, and all rows take some election timeouts. */
const ROW_MICROS = [5_000, 2_500, 9_000] as const
const MINUTE = 60_000_000
const CALM = { operationMax: 100, syncMin: 100, syncMax: 500, stallChance: 0, stall: 0 }
const OBSERVER: NodeObserver = {
  composed: ({ gateway }) => gateway,
  logOpened: (store, _recovered, done) => done(store),
  persisted: () => undefined,
  sending: () => undefined,
  diskReplaced: () => undefined,
}

const first = defineMachine(
  'stock',
  { version: 1, state: { items: table(z.string(), z.int()) } },
  {
    commands: { look: command({ input: z.null(), output: z.int() }, (ctx) => ctx.state.items.count()) },
    queries: { sum: query({ input: z.null(), output: z.int() }, (view) => view.items.count()) },
    onSessionCreated: (ctx) => {
      for (let at = 0; at < ROWS; at += 1) ctx.state.items.set(`item-${at}`, at)
    },
  },
)

/** `pauses`: whether the migration yields after each row. */
const second = (work: (micros: number) => void, { micros, pauses }: { micros: number; pauses: boolean }) =>
  defineMachine(
    'stock',
    { version: 2, state: { items: table(z.string(), z.object({ left: z.int() })) } },
    {
      commands: { look: command({ input: z.null(), output: z.int() }, (ctx) => -ctx.state.items.count()) },
      queries: { sum: query({ input: z.null(), output: z.int() }, (view) => -view.items.count()) },
      migrations: {
        *2(ctx) {
          for (const [id, left] of ctx.state.items.each()) {
            ctx.state.items.set(id, { left: left as unknown as number })
            work(micros)
            if (pauses) yield
          }
        },
      },
    },
  )

/** Three nodes that have the rows under version 1, and were started again with both versions. */
class Upgrade {
  readonly cluster: SimulatedCluster
  private build: 'old' | 'new' = 'old'
  private session = 0

  constructor({ pauses, timeoutMs = 60_000 }: { readonly pauses: boolean; readonly timeoutMs?: number }) {
    let started = 0
    this.cluster = new SimulatedCluster({
      seed: SEED,
      nodes: ROW_MICROS.map(() => ({ disk: CALM, clock: { ratePpm: 1_000_000, wallOffsetMs: 0 } })),
      network: { loss: 0, duplication: 0, delayMin: 100, delayMax: 500, straggler: 0, stragglerDelay: 0 },
      limits: DEFAULT_LIMITS,
      credit: null,
      appendEntriesMax: null,
      segmentBytes: 1 << 20,
      mount: (work) => {
        const micros = ROW_MICROS[started % ROW_MICROS.length] ?? 0
        started += 1
        return mount(this.build === 'old' ? [first] : [first, second(work, { micros, pauses })], sessionCodec)
      },
      generator: (purpose) => new Random(SEED, purpose === 'network' ? 1 : 2),
      observe: () => OBSERVER,
    })
    this.fill(timeoutMs)
  }

  get nodes(): readonly SimulatedNode[] {
    return this.cluster.nodes
  }

  get terms(): readonly unknown[] {
    return this.nodes.map((node) => node.driver?.status().term)
  }

  /** Runs until something is so. */
  until(what: string, holds: () => boolean): void {
    const { scheduler } = this.cluster
    const end = scheduler.now + MINUTE
    while (!holds()) {
      if (scheduler.now > end || !scheduler.next())
        throw new Error(`seed ${SEED}: within a minute there was not: ${what}`)
    }
  }

  /** Proposes an entry at the leader; what comes of it. */
  submit(kind: EntryKind, payload: Uint8Array): { reply: Reply | null } {
    const told: { reply: Reply | null } = { reply: null }
    const lost = (): never => {
      throw new Error(`seed ${SEED}: a proposal was lost`)
    }
    this.cluster.leader?.driver?.submit(kind, payload, {
      settled: (reply) => {
        told.reply = reply
      },
      refused: lost,
      lost,
    })
    return told
  }

  /** A command, parsed by one version or the other. */
  look(requestId: number, version: number): { reply: Reply | null } {
    const numbers = { group: 0, incarnation: 1, index: this.session, epoch: 0 }
    const request = { requestId, lowestPendingRequestId: 1, ackServerRequests: 0, hashHigh: requestId, hashLow: 0 }
    const input = sessionCodec.encodeValue(null)
    const bytes = encodeClientRequest({ ...numbers, ...request, version, machine: 'stock', command: 'look', input })
    return this.submit('ClientRequest', bytes)
  }

  sums(): readonly unknown[] {
    return this.nodes.map(({ machine }) => {
      const outcome = machine?.query({ machine: 'stock', query: 'sum', input: null, session: null })
      return outcome?.kind === 'value' ? outcome.value : outcome
    })
  }

  private fill(timeoutMs: number): void {
    for (const node of this.nodes) node.start()
    this.until('version 1', () => this.cluster.leader?.machine?.activeVersion('stock') === 1)
    const opened = this.submit(
      'OpenSession',
      encodePayload('OpenSession', {
        secretHash: sessionCodec.sha256(new Uint8Array(32)),
        principal: 'user:a',
        roles: [],
        capabilities: {},
        name: 'a',
        timeoutMs,
        validUntil: Math.floor(this.cluster.leader?.driver?.logNow() ?? 0) + 60_000,
        ordered: false,
      }),
    )
    this.until('the rows', () => this.nodes.every(({ machine }) => (machine?.counts.rows ?? 0) > ROWS))
    if (opened.reply?.kind !== 'opened') throw new Error(`seed ${SEED}: not opened: ${JSON.stringify(opened)}`)
    this.session = Number(opened.reply.sessionId.split('/')[2])
    for (const node of this.nodes) node.crash(false)
    this.build = 'new'
    for (const node of this.nodes) node.start()
    this.until('a leader of the new build', () => this.cluster.leader !== null)
  }
}

const isNew = ({ machine }: SimulatedNode): boolean => machine?.activeVersion('stock') === 2 && !machine.underway

test('a migration that takes many election timeouts costs no election, and every node comes to the same at its own pace', () => {
  const upgrade = new Upgrade({ pauses: true })
  const { cluster, nodes } = upgrade
  upgrade.until('a migration', () => nodes.every(({ machine }) => machine?.underway === true))
  const { terms } = upgrade
  const leader = cluster.leader
  const beganAt = cluster.scheduler.now
  const [late, next] = [upgrade.look(1, 1), upgrade.look(2, 2)]
  expect(upgrade.sums()).toEqual([ROWS, ROWS, ROWS])
  // A node that ends in the middle has written nothing of it, and begins again.
  const down = nodes.find((node) => node !== leader)
  upgrade.until('the middle', () => cluster.scheduler.now > beganAt + 500_000)
  expect(upgrade.sums()).toEqual([ROWS, ROWS, ROWS])
  down?.crash(false)
  down?.start()
  upgrade.until('the new version', () => nodes.every(isNew))
  expect(cluster.scheduler.now - beganAt).toBeGreaterThan(1_500_000)
  expect([upgrade.terms, cluster.leader]).toEqual([terms, leader])
  upgrade.until('one index', () => new Set(nodes.map(({ machine }) => machine?.appliedIndex)).size === 1)
  expect(new Set(nodes.map(({ machine }) => machine?.stateHash())).size).toBe(1)
  expect(upgrade.sums()).toEqual([-ROWS, -ROWS, -ROWS])
  // What waited was applied after it, under the new version.
  expect(late.reply).toMatchObject({ kind: 'refused', code: 'VERSION_CHANGED' })
  expect(next.reply).toMatchObject({ outcome: { kind: 'value', value: -ROWS } })
  for (const { machine } of nodes) machine?.checkInvariants()
})

test('a leader that is elected in the middle of one gives every session its chance from when it can answer', () => {
  const timeoutMs = 1000
  const upgrade = new Upgrade({ pauses: true, timeoutMs })
  const { cluster, nodes } = upgrade
  // The leader begins, and the others once they know that the entry is committed.
  upgrade.until('a migration', () => cluster.leader?.machine?.underway === true)
  const [before, beganAt] = [cluster.leader, cluster.scheduler.now]
  upgrade.until('a migration everywhere', () => nodes.every(({ machine }) => machine?.underway === true))
  before?.crash(false)
  upgrade.until('another leader that may answer', () => cluster.leader?.driver?.leading === true)
  expect(cluster.leader).not.toBe(before)
  // It led for longer than a session's chance and could not be reached.
  expect(cluster.scheduler.now - beganAt).toBeGreaterThan(timeoutMs * 1000)
  const readyAt = cluster.scheduler.now
  upgrade.until('most of a chance', () => cluster.scheduler.now > readyAt + timeoutMs * 800)
  expect(cluster.leader?.machine?.counts.sessions).toBe(1)
  upgrade.until('an expiry', () => cluster.leader?.machine?.counts.sessions === 0)
})

test('one that does not pause loses its leader: what the pauses are for', () => {
  const upgrade = new Upgrade({ pauses: false })
  const { terms } = upgrade
  upgrade.until('the new version', () => upgrade.nodes.every(isNew))
  upgrade.until('quiet', () => upgrade.cluster.scheduler.now > 30_000_000)
  expect(upgrade.terms).not.toEqual(terms)
})
