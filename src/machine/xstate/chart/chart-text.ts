import type { AnyStateMachine } from 'xstate'
import type { Description } from '../../define/describe-schema.ts'
import { isMachine } from './actor-kind.ts'
import { isFunction } from './guarded-action.ts'

/** The release whose behaviour the adapter follows and its tests pin; part of every chart's fingerprint. */
const XSTATE_VERSION = '5.33.3'

/** What describes a chart to people and decides nothing. */
const PROSE: readonly string[] = ['description', '_input', '_output']

/**
 * What a chart declares: its states in document order, transitions, delays and names. It is binding, as a schema is
 * (docs/decisions/machine-identity.md): what functions do is in `chartSource`.
 */
export function chartLogic(machine: AnyStateMachine): Description {
  return [
    'xstate',
    XSTATE_VERSION,
    ...machines(machine).map(({ config, implementations }) => {
      const { guards, actions, delays, actors } = implementations
      return [described(config), ...[guards, actions, delays, actors].map((named) => described(named))]
    }),
  ]
}

/** What the options declare beside the chart: binding too. What their functions do is text, as that of the chart. */
export function optionsLogic(options: { readonly [name: string]: unknown }): Description {
  return ['options', described(options)]
}

/** The source text of every function of a chart: shown and warned about, never binding. */
export function chartSource(machine: AnyStateMachine): string {
  const found: string[] = []
  for (const { config, implementations } of machines(machine)) {
    collect(config, found)
    collect(implementations, found)
  }
  return found.join('\n')
}

/** The machine and all that it invokes or spawns, each once. */
function machines(machine: AnyStateMachine, seen: Set<AnyStateMachine> = new Set()): readonly AnyStateMachine[] {
  if (seen.has(machine)) return []
  seen.add(machine)
  const inner = Object.values(machine.implementations.actors).filter(isMachine)
  return [machine, ...inner.flatMap((child) => machines(child, seen))]
}

function described(value: unknown): Description {
  if (isMachine(value)) return 'machine'
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (Array.isArray(value)) return value.map(described)
  if (typeof value !== 'object' && !isFunction(value)) return typeof value
  const fields = Object.entries(value).filter(([name, field]) => field !== undefined && !PROSE.includes(name))
  const list = fields.map(([name, field]) => [name, name === 'schemas' ? 'schemas' : described(field)])
  return isFunction(value) ? ['function', ...list] : list
}

function collect(value: unknown, found: string[], seen: Set<unknown> = new Set()): void {
  if (isMachine(value) || seen.has(value)) return
  seen.add(value)
  if (isFunction(value)) found.push(String(value))
  if ((typeof value !== 'object' && !isFunction(value)) || value === null) return
  for (const [name, field] of Object.entries(value)) if (name !== 'schemas') collect(field, found, seen)
}
