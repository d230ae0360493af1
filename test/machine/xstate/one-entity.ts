import type { AnyStateMachine } from 'xstate'
import type { Value } from '../../../src/machine/index.ts'
import { fromXState, type XStateOptions } from '../../../src/machine/xstate/index.ts'
import { machineHarness } from '../../../src/testing/index.ts'

type Options = Partial<XStateOptions<AnyStateMachine, 'chart', string>>
type Event = { readonly type: string } & { readonly [field: string]: Value }

/** One entity `e` of a chart, under the real session layer, without the types of the chart. */
export class OneEntity {
  readonly harness
  readonly client
  readonly worker

  /** `guard`: whether what is not deterministic is looked for, which runs everything twice. */
  constructor(machine: AnyStateMachine, options: Options = {}, { guard = true }: { readonly guard?: boolean } = {}) {
    const chart = fromXState(machine, { name: 'chart', version: 1, ...options })
    this.harness = machineHarness(chart, { failures: 'collect', guard })
    this.client = this.harness.session('user:alice')
    this.worker = this.harness.session('worker:1', { roles: ['worker'] })
  }

  create(input: Value = null, watch = false) {
    return this.client.execute('chart', 'create', { id: 'e', input, watch })
  }

  send(event: Event, id = 'e') {
    return this.client.execute('chart', 'send', { id, event })
  }

  /** Its answer as a text: the value of the state, or the code of the refusal. */
  sends(...events: readonly Event[]): readonly unknown[] {
    return events.map((event) => {
      const outcome = this.send(event)
      return outcome.kind === 'ok' ? (outcome.value as { value: Value }).value : outcome.code
    })
  }

  /** As a client reads it. */
  get view() {
    const outcome = this.client.queries.chart.state('e')
    if (outcome.kind !== 'ok') throw new Error(outcome.code)
    return outcome.value
  }

  get row() {
    const row = this.harness.read('chart', ({ entities }) => entities.get('e'))
    if (row === undefined) throw new Error('there is no entity e')
    return row
  }
}
