import type { AnyStateMachine, AnyStateNode } from 'xstate'
import { actorKind } from './actor-kind.ts'
import { ChartError, type ChartIssue, type ChartIssueCode } from './chart-error.ts'
import { type BuiltinAction, isBuiltin, isDelay, isFunction } from './guarded-action.ts'
import { plainValue } from './plain-value.ts'

/** What the definition gives beside the chart. */
export interface KnownNames {
  /** Actions that the options turn into server requests, or leave out. */
  readonly actions: ReadonlySet<string>
}

/**
 * Refuses a chart that cannot be replicated, with every place and the way out. What only shows when an event is taken (a
 * function of `enqueueActions`, a context that is no plain data) is refused then.
 */
export function checkChart(machine: AnyStateMachine, names: KnownNames): void {
  const issues = new ChartCheck(machine, names).run()
  if (issues.length > 0) throw new ChartError(machine.id, issues)
}

class ChartCheck {
  private readonly machine: AnyStateMachine
  private readonly names: KnownNames
  private readonly issues: ChartIssue[] = []

  constructor(machine: AnyStateMachine, names: KnownNames) {
    this.machine = machine
    this.names = names
  }

  run(): readonly ChartIssue[] {
    const { implementations, root } = this.machine
    this.context()
    for (const [name, delay] of Object.entries(implementations.delays)) {
      if (!isFunction(delay) && !isDelay(delay)) this.badDelay(`delays.${name}`, delay)
    }
    for (const [name, action] of Object.entries(implementations.actions)) {
      if (isBuiltin(action)) this.builtin(`actions.${name}`, action)
    }
    this.node(root)
    return this.issues
  }

  private refuse(code: ChartIssueCode, path: string, problem: string): void {
    this.issues.push({ code, path, problem })
  }

  private context(): void {
    const { context } = this.machine.config as { readonly context?: unknown }
    if (!isFunction(context)) this.plain(this.machine.id, context, 'context')
  }

  private plain(path: string, value: unknown, what: string): void {
    try {
      plainValue(value, what)
    } catch (error) {
      this.refuse('CHART_CONTEXT', path, error instanceof Error ? error.message : String(error))
    }
  }

  private node(node: AnyStateNode): void {
    const path = node.id
    const config = node.config as { readonly route?: unknown; readonly after?: object }
    // Clients are sent it.
    this.plain(path, node.meta, 'meta')
    this.actions(`${path}.entry`, node.entry)
    this.actions(`${path}.exit`, node.exit)
    for (const delay of Object.keys(config.after ?? {})) this.delay(`${path}.after`, delay)
    if (config.route !== undefined) {
      this.refuse(
        'CHART_LIVE_ONLY',
        path,
        'a route is taken by an event of XState itself, which no client may send; use on',
      )
    }
    this.invokes(node)
    for (const [event, transitions] of node.transitions) this.transitions(`${path}.on.${event}`, transitions)
    this.transitions(`${path}.always`, node.always ?? [])
    if (node.type === 'compound') this.transitions(`${path}.initial`, [node.initial])
    for (const child of Object.values(node.states)) this.node(child)
  }

  private transitions(
    path: string,
    transitions: readonly { readonly actions: readonly unknown[]; readonly guard?: unknown }[],
  ): void {
    transitions.forEach(({ actions, guard }, at) => {
      this.actions(`${path}[${at}].actions`, actions)
      this.guard(`${path}[${at}].guard`, guard)
    })
  }

  private actions(path: string, actions: readonly unknown[]): void {
    for (const [at, action] of actions.entries()) this.action(`${path}[${at}]`, action)
  }

  private action(path: string, action: unknown): void {
    if (isBuiltin(action)) {
      this.builtin(path, action)
      return
    }
    if (isFunction(action)) {
      this.refuse('CHART_INLINE_ACTION', path, INLINE)
      return
    }
    const name = nameOf(action)
    const own = this.machine.implementations.actions[name]
    if (isBuiltin(own) || this.names.actions.has(name)) return
    if (own === undefined) {
      this.refuse(
        'CHART_UNKNOWN_NAME',
        path,
        `the action ${name} is not implemented: add it to setup, or to options.actions`,
      )
    } else this.refuse('CHART_INLINE_ACTION', path, `the action ${name} runs code of its own. ${INLINE}`)
  }

  private builtin(path: string, { type, delay, src, id, systemId, syncSnapshot }: BuiltinAction): void {
    if (type === 'xstate.raise' || type === 'xstate.sendTo') {
      // Those of `after` are named by their state.
      const after = typeof id === 'string' && id.startsWith('xstate.after.')
      if (!after && delay !== undefined && !isFunction(delay)) this.delay(path, delay)
    }
    if (type !== 'xstate.spawnChild') return
    this.source(path, src)
    if (typeof id !== 'string' && !isFunction(id)) {
      this.refuse('CHART_UNNAMED_ACTOR', path, 'a spawned actor needs an id: spawnChild(src, { id }), or invoke it')
    }
    if (typeof id === 'string') this.actorId(path, id)
    this.liveOnly(path, { systemId, onSnapshot: syncSnapshot === true ? syncSnapshot : undefined })
  }

  /** A number of milliseconds, or the name of one. Keys of `after` are texts. */
  private delay(path: string, delay: unknown): void {
    if (isDelay(delay)) return
    if (typeof delay === 'string' && Object.hasOwn(this.machine.implementations.delays, delay)) return
    if (typeof delay === 'string' && delay !== '' && isDelay(Number(delay))) return
    this.badDelay(path, delay)
  }

  private badDelay(path: string, delay: unknown): void {
    const way = 'a delay is a finite number of milliseconds, 0 or more, or one that setup({ delays }) names'
    this.refuse('CHART_BAD_DELAY', path, `the delay ${String(delay)} would fire at once, or never; ${way}`)
  }

  private invokes(node: AnyStateNode): void {
    const { invoke } = node.config as { readonly invoke?: unknown }
    const configs = invoke === undefined ? [] : Array.isArray(invoke) ? invoke : [invoke]
    configs.forEach((config: InvokeConfig, at) => {
      const path = `${node.id}.invoke[${at}]`
      this.source(path, config.src)
      this.liveOnly(path, config)
    })
    for (const [at, { id }] of node.invoke.entries()) this.actorId(`${node.id}.invoke[${at}]`, id)
  }

  /** The entity of a child is `parent/actor`. */
  private actorId(path: string, id: string): void {
    if (!id.includes('/')) return
    this.refuse('CHART_UNNAMED_ACTOR', path, `the id of the actor ${id} has a slash; give it an id without one`)
  }

  /** Saved and restored, an actor is found by the name of its logic (the tests of X14). */
  private source(path: string, src: unknown): void {
    if (typeof src !== 'string') {
      this.refuse(
        'CHART_UNNAMED_ACTOR',
        path,
        'the actor is given in place; name it in setup({ actors }) and write its name',
      )
      return
    }
    const logic: unknown = this.machine.implementations.actors[src]
    if (logic === undefined) {
      this.refuse('CHART_UNKNOWN_NAME', path, `the actor ${src} is not implemented: add it to setup({ actors })`)
    } else if (actorKind(logic) === null) {
      this.refuse(
        'CHART_UNREPLICABLE_ACTOR',
        path,
        `the actor ${src} is neither promise, callback nor machine. ${NO_ACTOR}`,
      )
    }
  }

  private liveOnly(path: string, { systemId, onSnapshot }: InvokeConfig): void {
    if (systemId !== undefined) {
      this.refuse('CHART_LIVE_ONLY', path, 'systemId finds an actor of one process; send to it by its id')
    }
    if (onSnapshot !== undefined) {
      this.refuse('CHART_LIVE_ONLY', path, 'snapshots of an actor are seen within one process; let it send events')
    }
  }

  private guard(path: string, guard: unknown): void {
    if (guard === undefined) return
    if (isFunction(guard)) {
      const { guards } = guard as { readonly guards?: readonly unknown[] }
      for (const [at, inner] of (guards ?? []).entries()) this.guard(`${path}[${at}]`, inner)
      return
    }
    const name = nameOf(guard)
    if (Object.hasOwn(this.machine.implementations.guards, name)) return
    this.refuse('CHART_UNKNOWN_NAME', path, `the guard ${name} is not implemented: add it to setup({ guards })`)
  }
}

interface InvokeConfig {
  readonly src?: unknown
  readonly systemId?: unknown
  readonly onSnapshot?: unknown
}

const INLINE =
  'What it does would happen on every replica, and again at every replay: give it a name and list it in options.actions, so that ' +
  'clients are sent a server request, or use assign, emit, raise, sendTo, or an invoked actor'
const NO_ACTOR =
  'What an observable or a reducer holds lives in one process: make it a machine, or let a client send events'

function nameOf(reference: unknown): string {
  if (typeof reference === 'string') return reference
  const { type } = reference as { readonly type?: unknown }
  return String(type)
}
