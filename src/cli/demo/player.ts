import { assert } from '../../base/assert.ts'
import type { Value } from '../../client/index.ts'
import {
  type Answer,
  Difference,
  type Flow,
  type Heard,
  type Promised,
  type Seen,
  type Side,
  type Stage,
} from './flow.ts'
import { differenceOf, isObject, promisedPart } from './promise.ts'

/** Who plays, and who hears what is seen. */
export interface PlayerParts {
  readonly flow: Flow
  /** One per member of the cast. */
  readonly sides: ReadonlyMap<string, Side>
  /** Of the cluster, about; ms since the Unix epoch. */
  readonly now: number
  /** Behind the names of this run; empty where nobody else has been. */
  readonly suffix: string
  /** `shown`: the part of it that was promised, or null. */
  see(seen: Seen, shown: Value): void
}

/**
 * Plays a flow: sends what its members say, each after the answer to the one before, and holds whatever comes back against
 * what was promised. Throws a `Difference` at the first thing that is otherwise, also when somebody is told too much.
 */
export async function play(parts: PlayerParts): Promise<void> {
  const player = new Player(parts)
  await parts.flow.play(player)
  await player.end()
}

class Player implements Stage {
  private readonly parts: PlayerParts
  private step = ''

  constructor(parts: PlayerParts) {
    this.parts = parts
  }

  get now(): number {
    return this.parts.now
  }

  unique(id: string): string {
    return `${id}${this.parts.suffix}`
  }

  principal(member: string): string {
    return principalOf(this.parts.flow, member, this.parts.suffix)
  }

  scene(step: string, says: string): void {
    this.step = step
    this.parts.see({ kind: 'scene', step, says }, null)
  }

  async act(member: string, name: string, input: Value, promised: Promised): Promise<Value> {
    const [machine = '', command = ''] = name.split('.')
    const answer = await this.side(member).command(machine, command, input)
    const value = this.judge({ kind: 'command', member, name, input, answer }, promised)
    await this.hear(promised)
    return value
  }

  async ask(member: string, name: string, input: Value, promised: Promised): Promise<Value> {
    const [machine = '', query = ''] = name.split('.')
    const answer = await this.side(member).query(machine, query, input)
    return this.judge({ kind: 'query', member, name, input, answer }, promised)
  }

  async work(
    member: string,
    kind: string,
    result: Value | ((payload: Value) => Value),
    promised: Promised = {},
  ): Promise<void> {
    const heard = await this.side(member).next()
    if (heard?.kind !== 'task' || heard.task !== kind) {
      throw this.difference(`${member} ${whatWas(heard)}, and was promised the task ${kind}`)
    }
    const { taskId, attempt, payload } = heard
    this.parts.see({ kind: 'task', step: this.step, member, task: kind, attempt, payload }, null)
    const given = typeof result === 'function' ? result(payload) : result
    await this.act(member, 'task.complete', { taskId, attempt, result: given }, promised)
  }

  /** Nobody was told anything more. */
  async end(): Promise<void> {
    const [machine = '', query = ''] = this.parts.flow.last.split('.')
    for (const [member, side] of this.parts.sides) {
      // Requests come to a session in order, and with its answers: what was made before is here when this is answered.
      await side.query(machine, query, {})
      const [more] = side.rest()
      if (more !== undefined) throw this.difference(`${member} ${whatWas(more)}, and was promised nothing more`)
    }
  }

  /** The value, or the details of the refusal, if that is what was promised. */
  private judge(
    { answer, ...asked }: Omit<Extract<Seen, { kind: 'command' | 'query' }>, 'step'>,
    promised: Promised,
  ): Value {
    const { kind, value } = withValue(answer)
    const { gives, refused = 'ok', details, shows = [] } = promised
    const wanted = refused === 'ok' ? gives : details
    const part = wanted === undefined ? {} : promisedPart(wanted, value)
    const shown = shows.length === 0 ? part : { ...fieldsOf(part), ...pick(value, shows) }
    this.parts.see({ ...asked, step: this.step, answer }, shown)
    if (kind !== refused) throw this.difference(`${asked.member} ${asked.name}: ${kind} instead of ${refused}`)
    const difference = wanted === undefined ? null : differenceOf(wanted, value)
    if (difference !== null) throw this.difference(`${asked.member} ${asked.name}: ${difference}`)
    return value
  }

  private async hear({ told = {} }: Promised): Promise<void> {
    for (const [member, expected] of Object.entries(told)) {
      for (const [topic, body = {}] of expected) {
        const heard = await this.side(member).next()
        if (heard?.kind !== 'notification' || heard.topic !== topic) {
          throw this.difference(`${member} ${whatWas(heard)}, and was promised ${topic}`)
        }
        const shown = promisedPart(body, heard.body)
        this.parts.see({ kind: 'told', step: this.step, member, topic, body: heard.body }, shown)
        const difference = differenceOf(body, heard.body)
        if (difference !== null) throw this.difference(`${member} is told ${topic}: ${difference}`)
      }
    }
  }

  private side(member: string): Side {
    const side = this.parts.sides.get(member)
    assert(side !== undefined, 'everybody who acts is in the cast', { member })
    return side
  }

  private difference(what: string): Difference {
    return new Difference(`step ${this.step}: ${what}`)
  }
}

/** The principal of a member of a flow, in a run with names of its own. */
export function principalOf(flow: Flow, member: string, suffix: string): string {
  const found = flow.cast[member]
  assert(found !== undefined, 'everybody who is spoken of is in the cast', { member })
  return `${found.principal}${suffix}`
}

function withValue(answer: Answer): { readonly kind: string; readonly value: Value } {
  if (answer.kind === 'ok') return answer
  if (answer.kind === 'refused') return { kind: answer.code, value: answer.details }
  return { kind: `${answer.kind} with ${answer.code}`, value: null }
}

function whatWas(heard: Heard | null): string {
  if (heard === null) return 'was told nothing'
  return heard.kind === 'task' ? `was given the task ${heard.task}` : `was told ${heard.topic}`
}

function pick(value: Value, names: readonly string[]): { readonly [name: string]: Value } {
  const fields = fieldsOf(value)
  return Object.fromEntries(names.map((name) => [name, fields[name] ?? null]))
}

function fieldsOf(value: Value): { readonly [name: string]: Value } {
  return isObject(value) ? value : {}
}
