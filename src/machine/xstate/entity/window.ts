import { createActor, type AnyActorRef, type ExecutableActionObject } from 'xstate'
import { INERT, type Chart } from '../chart/chart.ts'
import type { EntityRow } from './entity-row.ts'

/** What a step needs to know beside chart and row. */
export interface StepPlace {
  /** The entity's id, and what XState knows it by. */
  readonly id: string
  /** The parent's id; null for an entity that a client created. */
  readonly parent: string | null
  readonly named: ReadonlySet<string>
}

type Scope = Parameters<Chart['machine']['transition']>[2]

/** Fields of XState's references to actors that it alone writes. */
type Named = { id: string; sessionId: string; src?: unknown; _parent?: AnyActorRef | undefined }

/**
 * What XState's pure functions are given in place of a running actor. Its `transition` makes one of its own, which has no
 * parent, a new name each time, and runs the machine's start once more (the tests of X15 and X19); this one does nothing.
 *
 * PERF: one is made for the process and named anew for each step, since an actor of XState costs 9 µs. A step is over before
 * the next one begins, and no reference outlives it: what an entity keeps is plain data.
 */
export class Window {
  readonly scope: Scope
  readonly self: AnyActorRef
  actions: ExecutableActionObject[] = []
  private readonly above: AnyActorRef
  private readonly child: AnyActorRef

  constructor() {
    this.above = silent(createActor(INERT))
    const self = silent(createActor(INERT, { parent: this.above }))
    this.child = silent(createActor(INERT, { parent: self }))
    const { system } = self
    system.get = notHere('system.get')
    // By default a number that counts the actors of this process.
    ;(system as unknown as { _bookId: () => string })._bookId = () => 'actor'
    this.self = self
    this.scope = {
      self,
      id: '',
      sessionId: '',
      system,
      logger: () => {},
      defer: () => {},
      emit: () => {},
      stopChild: () => {},
      actionExecutor: (action) => {
        this.actions.push(action)
      },
    }
  }

  get parent(): AnyActorRef | null {
    return this.self._parent ?? null
  }

  /** For the next step. */
  open({ id, parent }: StepPlace): this {
    this.actions = []
    if (parent !== null) name(this.above, parent)
    name(this.self, id)
    const { _parent } = { _parent: parent === null ? undefined : this.above }
    Object.assign(this.self, { _parent })
    Object.assign(this.scope, { id, sessionId: id })
    return this
  }

  /** References to the actors of an entity: all that XState does with them is to tell them apart. */
  children(actors: EntityRow['actors']): { readonly [id: string]: AnyActorRef } {
    const found: { [id: string]: AnyActorRef } = {}
    for (const [id, { src }] of Object.entries(actors)) {
      const ref = Object.create(this.child) as AnyActorRef
      name(ref, id)
      Object.assign(ref, { src })
      found[id] = ref
    }
    return found
  }
}

function name(actor: AnyActorRef, id: string): void {
  const named = actor as unknown as Named
  named.id = id
  named.sessionId = id
}

function silent(actor: AnyActorRef): AnyActorRef {
  actor.send = notHere('send')
  actor.getSnapshot = notHere('getSnapshot')
  return actor
}

const notHere = (what: string) => (): never => {
  throw new Error(`${what} reaches actors of one process; here use sendTo, raise or the context`)
}
