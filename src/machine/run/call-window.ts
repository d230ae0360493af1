import type { StateReader, StateStore, MachineContext, QueryView } from '../../session/user-machine.ts'

/** What a table reads through. */
export interface ReadWindow {
  reader(): StateReader
}

/**
 * The call of a command, timer or hook that is going on: all machines mounted together share one, so that `ctx.call` stays in
 * the same write buffer. Outside a call it is shut, so a context that a handler kept throws instead of writing late.
 */
export class CallWindow implements ReadWindow {
  private context: MachineContext | null = null
  private store: StateStore | null = null
  /** Changes so far: rows, requests, tasks, timers. Tells whether a called command that rejected had changed anything. */
  changes = 0
  /** Depth of `ctx.call`. */
  depth = 0
  /** Set when a called command threw, or rejected after changes: then the entry must be rejected too. */
  mustReject = false

  /** Opens the window on a call; returns what it was open on before, for `leave`. */
  enter(context: MachineContext): MachineContext | null {
    const outer = this.context
    this.context = context
    this.store = context.state
    if (outer === null) this.mustReject = false
    return outer
  }

  leave(outer: MachineContext | null): void {
    this.context = outer
    this.store = outer === null ? null : outer.state
    if (outer === null) this.depth = 0
  }

  base(): MachineContext {
    return this.context ?? shut()
  }

  reader(): StateReader {
    return this.store ?? shut()
  }

  writer(): StateStore {
    this.changes += 1
    return this.store ?? shut()
  }
}

/** The query that is going on, of whichever machine: it may read the tables of others. */
export class QueryWindow implements ReadWindow {
  private view: QueryView | null = null

  enter(view: QueryView): QueryView | null {
    const outer = this.view
    this.view = view
    return outer
  }

  leave(outer: QueryView | null): void {
    this.view = outer
  }

  base(): QueryView {
    return this.view ?? shut()
  }

  reader(): StateReader {
    return this.base().state
  }
}

function shut(): never {
  throw new Error(
    'a context or table was used outside the call it was given to; read what you need during the call and return it',
  )
}
