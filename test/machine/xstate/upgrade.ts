import type { AnyStateMachine } from 'xstate'
import { expect } from 'vitest'
import { identityOf, mount } from '../../../src/machine/index.ts'
import { fromXState, type XStateOptions } from '../../../src/machine/xstate/index.ts'
import type { TaskRecord } from '../../../src/session/user-machine.ts'
import { StateRows } from '../../../src/testing/machine/state-rows.ts'
import { codec, Log } from '../../session/log.ts'

type Options = Partial<XStateOptions<AnyStateMachine, 'pay', string>>

/** A log whose machine goes from one chart to another, with entities of both. */
export class Upgrade {
  readonly log
  private readonly newer
  private requests = 0
  private readonly session
  private readonly stored

  constructor(older: AnyStateMachine, newer: AnyStateMachine, options: Options = {}) {
    this.newer = fromXState(newer, { name: 'pay', version: 2, ...options })
    const first = fromXState(older, { name: 'pay', version: 1 })
    this.log = new Log(mount([first, this.newer], codec).userMachine)
    this.log.append('AdvanceVersion', { machines: [{ machine: 'pay', to: 1, schema: identityOf(first).schema }] })
    this.session = this.log.open('alice')
    this.stored = new StateRows(this.log.machine)
  }

  create(id: string, version = 1): void {
    this.request(version, 'create', { id, watch: false })
  }

  send(id: string, type: string, version = 1): void {
    this.request(version, 'send', { id, event: { type } })
  }

  switch(): readonly string[] {
    this.log.append('AdvanceVersion', { machines: [{ machine: 'pay', to: 2, schema: identityOf(this.newer).schema }] })
    return this.log.reports.map((report) => report.kind)
  }

  wait(ms: number): void {
    this.log.advance(ms)
    this.log.empty('Tick')
  }

  state(id: string): unknown {
    return this.view(id).value
  }

  /** As a client reads it; of a refusal its code as the value. */
  view(id: string): { readonly [field: string]: unknown } {
    const outcome = this.log.machine.query({ machine: 'pay', query: 'state', input: id, session: null })
    return outcome.kind === 'value' ? (outcome.value as { readonly [field: string]: unknown }) : { value: outcome.code }
  }

  get ids(): readonly string[] {
    const ids: string[] = []
    for (let after: string | null = ''; after !== null; ) {
      const outcome = this.log.machine.query({
        machine: 'pay',
        query: 'list',
        input: { after, limit: 1_000 },
        session: null,
      })
      if (outcome.kind !== 'value') throw new Error(outcome.code)
      const page = outcome.value as { entities: readonly { id: string }[]; next: string | null }
      ids.push(...page.entities.map(({ id }) => id))
      after = page.next
    }
    return ids
  }

  /** Open ones. */
  get tasks(): readonly TaskRecord[] {
    return this.stored.tasks()
  }

  private request(version: number, command: string, input: object): void {
    this.requests += 1
    const reply = this.log.request(this.session, this.requests, command, {
      machine: 'pay',
      version,
      input: input as never,
      lowestPendingRequestId: this.requests,
    })
    expect(reply).toMatchObject({ kind: 'outcome', outcome: { kind: 'value' } })
  }
}
