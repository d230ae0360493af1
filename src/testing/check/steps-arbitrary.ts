import type fc from 'fast-check'
import type { Value } from '../../codec/value/value.ts'
import type { MachineDefinition } from '../../machine/index.ts'
import type { CheckStep } from './check-step.ts'
import { type FastCheck, inputArbitrary } from './input-arbitrary.ts'

/** Spans that timers and timeouts are made of, ms. */
const SPANS = [1, 100, 1_000, 5_000, 60_000, 3_600_000, 86_400_000]

/** What steps are drawn from. */
export interface StepSource {
  readonly machine: MachineDefinition
  /** Others whose commands are drawn too. */
  readonly drive: readonly MachineDefinition[]
  readonly principals: readonly string[]
  /** Inputs that are drawn beside the generated ones, by command, query or kind of task. */
  readonly inputs: { readonly [name: string]: readonly Value[] }
  readonly stepsMax: number
  /** A list begins with a part of one of these. */
  readonly begin: readonly (readonly CheckStep[])[]
}

/** Lists of steps for a machine, most of them commands. */
export function stepsArbitrary(fastCheck: FastCheck, source: StepSource): fc.Arbitrary<CheckStep[]> {
  const { machine, drive, principals, inputs, stepsMax, begin } = source
  const by = fastCheck.constantFrom(...principals)
  const input = (name: string, schema: unknown): fc.Arbitrary<Value> => {
    const generated = inputArbitrary(fastCheck, schema) as fc.Arbitrary<Value>
    const given = inputs[name]
    if (given === undefined || given.length === 0) return generated
    return fastCheck.oneof({ weight: 3, arbitrary: fastCheck.constantFrom(...given) }, generated)
  }
  const step = <Kind extends CheckStep['do']>(
    kind: Kind,
    fields: { readonly [Field in keyof Omit<Extract<CheckStep, { do: Kind }>, 'do'>]: fc.Arbitrary<unknown> },
  ): fc.Arbitrary<CheckStep> =>
    // The fields are those of the kind, by their names.
    fastCheck.record(
      { do: fastCheck.constant(kind), ...fields },
      { noNullPrototype: true },
    ) as unknown as fc.Arbitrary<CheckStep>
  const commands = Object.entries(machine.commands).map(([command, ref]) =>
    step('command', { by, command: fastCheck.constant(command), input: input(command, ref.input) }),
  )
  const queries = Object.entries(machine.queries).map(([query, ref]) =>
    step('query', { by, query: fastCheck.constant(query), input: input(query, ref.input) }),
  )
  const driven = drive.flatMap((other) =>
    Object.entries(other.commands).map(([command, ref]) =>
      step('command', {
        by,
        machine: fastCheck.constant(other.name),
        command: fastCheck.constant(command),
        input: input(`${other.name}.${command}`, ref.input),
      }),
    ),
  )
  const kinds = [machine, ...drive].flatMap(({ schema }) => Object.entries(schema.tasks ?? {}))
  const tasks = kinds.flatMap(([kind, { result }]) => [
    step('complete', { kind: fastCheck.constant(kind), result: input(kind, result) }),
    step('fail', { kind: fastCheck.constant(kind) }),
  ])
  const rest = [
    step('advance', { ms: fastCheck.constantFrom(...SPANS) }),
    step('deliver', { by, acknowledge: fastCheck.boolean() }),
    step('redeliver', {}),
    step('end', { by, reason: fastCheck.constantFrom('expired', 'closed') }),
  ]
  const weighted = [
    [24, commands],
    [12, driven],
    [4, queries],
    [4, tasks],
    [4, rest],
  ] as const
  const drawable = weighted
    .filter(([, steps]) => steps.length > 0)
    .map(([weight, steps]) => ({ weight, arbitrary: fastCheck.oneof(...steps) }))
  const drawn = fastCheck.array(fastCheck.oneof(...drawable), { maxLength: stepsMax, size: 'max' })
  if (begin.length === 0) return drawn
  const parts = begin.map((way) => {
    // Half of them all of it, which else the longest ways would hardly ever be; shrunk to less all the same.
    const length = fastCheck.oneof({ withCrossShrink: true }, fastCheck.nat(way.length), fastCheck.constant(way.length))
    return length.map((count) => way.slice(0, count))
  })
  return fastCheck.tuple(fastCheck.oneof(...parts), drawn).map(([part, rest]) => [...part, ...rest])
}

/** The same commands with texts that no other run had: `suffix` is another one each time. */
export function withOtherTexts(steps: readonly CheckStep[], suffix: string): CheckStep[] {
  return steps.map((step) => (step.do === 'command' ? { ...step, input: changed(step.input, suffix) } : step))
}

function changed(value: Value, suffix: string): Value {
  if (typeof value === 'string') return `${value}${suffix}`
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  if (Array.isArray(value)) return value.map((item: Value) => changed(item, suffix))
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, changed(member, suffix)]))
}
