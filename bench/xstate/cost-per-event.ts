import { assert } from '../../src/base/assert.ts'
import type { SessionId } from '../../src/base/brand.ts'
import { sessionCodec } from '../../src/codec/session-codec.ts'
import { encodeValue } from '../../src/client/index.ts'
import type { Value } from '../../src/codec/value/value.ts'
import { mount } from '../../src/machine/index.ts'
import { Chart } from '../../src/machine/xstate/chart/chart.ts'
import { nextStep, restored, type Restorable } from '../../src/machine/xstate/entity/step.ts'
import { SessionStateMachine } from '../../src/session/session-state-machine.ts'
import { EntryLog } from '../../src/testing/machine/entry-log.ts'
import { lease } from './lease-chart.ts'
import { leases } from './lease-machine.ts'

/** What one event costs in one process, without a log or a network: processor time, µs. */
export interface EventCost {
  /** From the row to a snapshot that XState steps. */
  readonly restoreMicros: number
  /** The step itself, and what it wants done. */
  readonly transitionMicros: number
  /** Request, row and answer: validated, folded into the running hash, made bytes. */
  readonly encodeMicros: number
  /** Everything that a replica does with the entry, the three above among it but for the bytes that are made later. */
  readonly applyMicros: number
}

const EVENTS = 20_000
const NOW = 1_700_000_000_000
const DUE_MS = 86_400_000

/** Measured one after the other after a warm-up. The processor time of the thread, so other processes do not count. */
export function costPerEvent(): EventCost {
  const replica = new Replica()
  const applyMicros = microsEach(() => replica.send())
  const row = replica.row()
  const chart = new Chart(lease, { actions: new Set() })
  const place = { id: 'lease', parent: null, named: new Set<string>() }
  const event = { type: 'RENEW', now: NOW }
  const restoreMicros = microsEach(() => restored(chart, row, place))
  const stepMicros = microsEach(() => nextStep(chart, row, event, place))
  const answer = replica.answer()
  const request: Value = { id: 'lease', event: { type: 'RENEW' } }
  const hash = { high: 0, low: 0 }
  const encodeMicros = microsEach(() => {
    encodeValue(request)
    for (const value of [row, answer]) {
      // A copy: what was walked once is frozen, and walked faster.
      sessionCodec.walkRow(structuredClone(value), hash)
      sessionCodec.encodeWalked(value as Value)
    }
  })
  const copyMicros = microsEach(() => {
    structuredClone(row)
    structuredClone(answer)
  })
  return {
    restoreMicros,
    transitionMicros: rounded(stepMicros - restoreMicros),
    encodeMicros: rounded(encodeMicros - copyMicros),
    applyMicros,
  }
}

/** One replica with one instance. */
class Replica {
  private readonly state: SessionStateMachine
  private readonly log: EntryLog
  private readonly session: SessionId

  constructor() {
    const { userMachine } = mount([leases], sessionCodec)
    this.state = new SessionStateMachine(userMachine, sessionCodec)
    const start = { now: NOW, limits: {}, machines: [leases] }
    this.log = new EntryLog((entry, bytes) => this.state.apply(entry, bytes), start)
    const { reply } = this.log.open({ principal: 'user:bench' })
    assert(reply.kind === 'opened', 'the session opens', { reply })
    this.session = reply.sessionId
    this.command('create', { id: 'lease', input: { holder: 'user:bench', dueAt: NOW + DUE_MS } })
  }

  send(): void {
    this.command('send', { id: 'lease', event: { type: 'RENEW' } })
  }

  row(): Restorable {
    const rows = [...this.state.swapDirty()].map(({ value }) => value)
    const found = rows.find((value) => typeof value === 'object' && value !== null && 'actors' in value)
    assert(found !== undefined, 'the instance has a row', {})
    // As the adapter keeps it.
    return found as unknown as Restorable
  }

  answer(): Value {
    const outcome = this.state.query({ machine: 'leases', query: 'state', input: 'lease', session: null })
    assert(outcome.kind === 'value', 'the instance is found', { outcome })
    return outcome.value
  }

  private command(command: string, input: Value): void {
    const { reply } = this.log.request(this.session, {
      machine: 'leases',
      command,
      input: encodeValue(input),
      version: 1,
    })
    assert(reply.kind === 'outcome' && reply.outcome.kind === 'value', 'the command is executed', { reply })
  }
}

/** Processor time of this process per run, after half as many that are not counted. */
function microsEach(run: () => unknown): number {
  for (let at = 0; at < EVENTS / 2; at += 1) run()
  const begun = process.cpuUsage()
  for (let at = 0; at < EVENTS; at += 1) run()
  const { user, system } = process.cpuUsage(begun)
  return rounded((user + system) / EVENTS)
}

const rounded = (micros: number): number => Math.round(micros * 10) / 10
