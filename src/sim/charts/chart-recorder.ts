import { isRejection } from '../../machine/index.ts'
import { owned } from '../../machine/define/own-machines.ts'
import type { MachineDefinition } from '../../machine/index.ts'
import type { ErasedBehaviour } from '../../machine/define/define-machine.ts'
import type { EntityRow, EventRow } from '../../machine/xstate/index.ts'
import type { Value } from '../../codec/value/value.ts'
import { seenEntity, type SeenEntity } from './seen-entity.ts'

/** What a replica's log made of a chart: one call of a handler, with what the entity was before and is afterwards. */
export interface ChartCall {
  readonly machine: string
  /** Of the entity that a client created. */
  readonly root: string
  /** The log's time, ms. */
  readonly now: number
  readonly act: ChartAct
  /** Code of what it was refused with, `thrown` for an error; null: it was done. */
  readonly refused: string | null
  /** The entity afterwards, with all below it; null: there is none. */
  readonly after: SeenEntity | null
}

export type ChartAct =
  | { readonly kind: 'create'; readonly input: Value }
  | { readonly kind: 'send'; readonly event: EventRow }
  | { readonly kind: 'remove' }
  /** `armed`: what the entity's row had of it; null: nothing. */
  | {
      readonly kind: 'timer'
      readonly entity: string
      readonly armed: { readonly type: string; readonly dueAt: number } | null
    }
  /** `current`: the entity ran this incarnation of the actor, and had no result of it. */
  | {
      readonly kind: 'result'
      readonly entity: string
      readonly actor: string
      readonly task: string
      readonly current: boolean
      readonly outcome: { readonly type: 'settle' | 'fail'; readonly data: unknown }
    }

interface CallContext {
  readonly now: number
  readonly state: { readonly entities: { get(id: string): EntityRow | undefined } }
}

/** Input of a command, as its schema leaves it: `input` of a create, `event` of a send. */
interface CommandGiven {
  readonly id: string
  readonly input?: Value
  readonly event: EventRow
}

type Handler = (...parameters: readonly unknown[]) => unknown

/** Stands between one process of a node and its charts, and takes down every call. */
export class ChartRecorder {
  private calls: ChartCall[] = []

  /** What was called since it was asked last. */
  take(): readonly ChartCall[] {
    const { calls } = this
    this.calls = []
    return calls
  }

  /** The same machine, whose calls are taken down. */
  recorded(machine: MachineDefinition): MachineDefinition {
    const { name, behaviour } = machine
    const { commands, timers = {}, tasks = {} } = behaviour
    const command = (kind: string, act: (given: CommandGiven) => ChartAct): object => {
      const { handler } = commands[kind] ?? { handler: () => null }
      const recorded = this.around(name, handler, (_, given) => {
        const parsed = given as CommandGiven
        return { root: parsed.id, act: act(parsed) }
      })
      return { ...commands[kind], handler: recorded }
    }
    const { delayed } = timers
    const changed = {
      ...behaviour,
      commands: {
        ...commands,
        create: command('create', ({ input }) => ({
          kind: 'create',
          input: input ?? null,
        })),
        send: command('send', ({ event }) => ({ kind: 'send', event })),
        remove: command('remove', () => ({ kind: 'remove' })),
      },
      timers: { delayed: this.around(name, delayed ?? (() => null), (ctx, payload) => timerAct(ctx, payload)) },
      tasks: Object.fromEntries(
        Object.entries(tasks).map(([kind, { onResult, onFailed }]) => [
          kind,
          {
            onResult: this.around(name, onResult, (ctx, record, result) => resultAct(ctx, record, 'settle', result)),
            onFailed: this.around(name, onFailed, (ctx, record, reason) => resultAct(ctx, record, 'fail', reason)),
          },
        ]),
      ),
    }
    // The same handlers, with the same types, behind one function each.
    return owned({ ...machine, behaviour: changed as unknown as ErasedBehaviour })
  }

  private around(
    machine: string,
    handler: Handler,
    actOf: (ctx: CallContext, ...given: readonly unknown[]) => Pick<ChartCall, 'root' | 'act'>,
  ): Handler {
    return (ctx, ...given) => {
      const context = ctx as CallContext
      const { now } = context
      const { root, act } = actOf(context, ...given)
      const note = (refused: string | null): void => {
        this.calls.push({ machine, root, now, act, refused, after: seenEntity(context.state.entities, root) })
      }
      try {
        const value = handler(ctx, ...given)
        note(isRejection(value) ? value.code : null)
        return value
      } catch (error) {
        note('thrown')
        throw error
      }
    }
  }
}

function timerAct({ state }: CallContext, payload: unknown): Pick<ChartCall, 'root' | 'act'> {
  const { id, n } = payload as { readonly id: string; readonly n: number }
  const timer = state.entities.get(id)?.timers.find((one) => one.n === n && !one.fired)
  const armed = timer === undefined ? null : { type: timer.event.type, dueAt: timer.dueAt }
  return { root: rootOf(id), act: { kind: 'timer', entity: id, armed } }
}

function resultAct(
  { state }: CallContext,
  record: unknown,
  type: 'settle' | 'fail',
  given: unknown,
): Pick<ChartCall, 'root' | 'act'> {
  const { taskId, payload } = record as {
    readonly taskId: string
    readonly payload: { readonly entity: string; readonly actor: string; readonly n: number }
  }
  const { entity, actor, n } = payload
  const row = state.entities.get(entity)?.actors[actor]
  const current = row !== undefined && row.n === n && !row.ended
  const data = type === 'settle' ? given : { name: 'Error', message: given }
  return {
    root: rootOf(entity),
    act: { kind: 'result', entity, actor, task: taskId, current, outcome: { type, data } },
  }
}

const rootOf = (id: string): string => id.split('/', 1)[0] ?? id
