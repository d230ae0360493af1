import { pathToFileURL } from 'node:url'
import { assert } from '../../src/base/assert.ts'
import type { SessionId } from '../../src/base/brand.ts'
import { encodeValue } from '../../src/client/index.ts'
import { sessionCodec } from '../../src/codec/session-codec.ts'
import type { Value } from '../../src/codec/value/value.ts'
import { mount, type Mountable } from '../../src/machine/index.ts'
import { SessionStateMachine } from '../../src/session/session-state-machine.ts'
import { EntryLog } from '../../src/testing/machine/entry-log.ts'
import { Latencies } from '../latencies.ts'
import { rounded, type Spread, spread } from '../peers/spread.ts'
import type { Filled, OrderMachine, OrderWrite } from './order-lanes.ts'
import { idOf, ORDERS_PER_OWNER, ownerOf } from './orders-module.ts'

/** What one replica does with an entry that writes, µs of processor time: without the index and with it. */
export interface ApplyCost {
  readonly plain: Spread
  readonly indexed: Spread
  /** Of the two of one round. */
  readonly ratio: Spread
}

/** Measured in one process, without a log, a network or anybody who waits. */
export interface ApplyCosts {
  readonly writes: { readonly [write in OrderWrite]: ApplyCost }
  /** One query of the newest orders of an owner, µs. */
  readonly lookupP50Us: number
  readonly lookupP99Us: number
}

const NOW = 1_700_000_000_000
const FILL_ROWS = 1000
const ENTRIES = 20_000
const LOOKUPS = 50_000

/** Fills both machines of the module and measures each write on them in turn, `rounds` times, then queries. */
export async function applyCosts(module: string, filled: Filled, rounds: number): Promise<ApplyCosts> {
  // The module is written by this bench (orders-module).
  const { plain, indexed } = (await import(pathToFileURL(module).href)) as { [name in OrderMachine]: Mountable }
  const replica = new Replica([plain, indexed], filled)
  const measured = (write: OrderWrite): ApplyCost => {
    const micros: { readonly [name in OrderMachine]: number[] } = { plain: [], indexed: [] }
    for (let round = -1; round < rounds; round += 1)
      for (const machine of ['plain', 'indexed'] as const) {
        const each = replica.writes(machine, write)
        // The first one compiles the code.
        if (round >= 0) micros[machine].push(each)
      }
    const ratios = micros.indexed.map((indexed, round) => indexed / (micros.plain[round] as number))
    return { plain: spread(micros.plain), indexed: spread(micros.indexed), ratio: rounded(spread(ratios)) }
  }
  const writes = { insert: measured('insert'), touch: measured('touch'), move: measured('move') }
  const lookups = replica.lookups()
  const micros = (percentile: number): number => Math.round(lookups.percentileMs(percentile) * 1000)
  return { writes, lookupP50Us: micros(50), lookupP99Us: micros(99) }
}

/** One replica of both machines. */
class Replica {
  private readonly state: SessionStateMachine
  private readonly log: EntryLog
  private readonly session: SessionId
  private readonly filled: Filled
  private next: number

  constructor(machines: readonly Mountable[], filled: Filled) {
    this.state = new SessionStateMachine(mount(machines, sessionCodec).userMachine, sessionCodec)
    this.log = new EntryLog((entry, bytes) => this.state.apply(entry, bytes), { now: NOW, limits: {}, machines })
    const { reply } = this.log.open({ principal: 'user:bench' })
    assert(reply.kind === 'opened', 'the session opens', { reply })
    this.session = reply.sessionId
    this.filled = filled
    this.next = filled.rows
    for (const machine of ['plain', 'indexed'] as const)
      for (let from = 0; from < filled.rows; from += FILL_ROWS) {
        const count = Math.min(FILL_ROWS, filled.rows - from)
        this.command(machine, 'fill', encodeValue({ from, count, owners: filled.owners }))
        this.state.swapDirty()
      }
  }

  /** Processor time of one write, µs, between two boundaries. */
  writes(machine: OrderMachine, write: OrderWrite): number {
    const { rows, owners } = this.filled
    const inputs = Array.from({ length: ENTRIES }, () => {
      const id = idOf(write === 'insert' ? this.next : draw(rows))
      if (write === 'insert') this.next += 1
      return encodeValue({ id, owner: ownerOf(draw(owners), owners), at: draw(rows) })
    })
    this.state.swapDirty()
    const begun = process.cpuUsage()
    for (const input of inputs) this.command(machine, write, input)
    const { user, system } = process.cpuUsage(begun)
    return Math.round(((user + system) / ENTRIES) * 10) / 10
  }

  lookups(): Latencies {
    const { owners } = this.filled
    const latencies = new Latencies()
    for (let at = 0; at < LOOKUPS; at += 1) {
      const input: Value = { owner: ownerOf(draw(owners), owners), limit: ORDERS_PER_OWNER }
      const begun = performance.now()
      const answer = this.state.query({ machine: 'indexed', query: 'of', input, session: null })
      latencies.record(performance.now() - begun)
      assert(answer.kind === 'value', 'the orders are found', { answer })
    }
    return latencies
  }

  private command(machine: OrderMachine, command: string, input: Uint8Array): void {
    const { reply } = this.log.request(this.session, { machine, command, input, version: 1 })
    assert(reply.kind === 'outcome' && reply.outcome.kind === 'value', 'the command is executed', { reply })
  }
}

const draw = (below: number): number => Math.floor(Math.random() * below)
