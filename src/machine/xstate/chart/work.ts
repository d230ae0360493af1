import type { AnyStateMachine } from 'xstate'
import { z } from 'zod'
import { assert } from '../../../base/assert.ts'
import type { TaskSchema } from '../../define/schema.ts'
import { actorKind, isMachine } from './actor-kind.ts'
import type { WorkOptions } from '../options.ts'

/** A promise or callback that becomes a kind of task. */
export interface Work {
  readonly src: string
  readonly kind: 'promise' | 'callback'
}

/** Those of a machine and of all that it invokes or spawns, by name. Crashes when one name means two things. */
export function worksOf(machine: AnyStateMachine): readonly Work[] {
  const found = new Map<string, Work>()
  collect(machine, found, new Set())
  return [...found.values()]
}

function collect({ implementations }: AnyStateMachine, found: Map<string, Work>, seen: Set<unknown>): void {
  for (const [src, logic] of Object.entries<unknown>(implementations.actors)) {
    const kind = actorKind(logic)
    if (isMachine(logic)) {
      if (seen.has(logic)) continue
      seen.add(logic)
      collect(logic, found, seen)
    } else if (kind === 'promise' || kind === 'callback') {
      const other = found.get(src)?.kind ?? kind
      assert(other === kind, 'one name stands for a promise and for a callback: workers could not tell them apart', {
        src,
      })
      found.set(src, { src, kind })
    }
  }
}

/** How long one attempt may take where the options do not say, ms, and how many there are. */
const LEASE_MS = 60_000
const ATTEMPTS = 3

/** The kinds of task of a chart. */
export function tasksOf(
  machine: AnyStateMachine,
  options: { readonly [src: string]: WorkOptions },
): { readonly [kind: string]: TaskSchema } {
  const works = worksOf(machine)
  const unknown = Object.keys(options).filter((src) => !works.some((work) => work.src === src))
  assert(unknown.length === 0, 'options.work names what is neither promise nor callback of the chart', { unknown })
  return Object.fromEntries(works.map(({ src, kind }) => [src, taskOf(kind, options[src] ?? {})]))
}

function taskOf(kind: Work['kind'], { role, leaseMs, maxAttempts, backoffMs, result }: WorkOptions): TaskSchema {
  return {
    role: role ?? 'worker',
    leaseMs: leaseMs ?? LEASE_MS,
    maxAttempts: maxAttempts ?? ATTEMPTS,
    backoffMs: backoffMs ?? [],
    payload: z.object({ entity: z.string(), actor: z.string(), n: z.int(), input: z.unknown() }),
    result: result ?? (kind === 'promise' ? z.unknown() : EVENTS),
  }
}

/** What a callback sends back. */
const EVENTS = z.array(z.looseObject({ type: z.string().regex(/^(?!xstate\.|\*$)/) }))
