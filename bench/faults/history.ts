/** What a client did at one moment, as Jepsen writes histories: one line of the file that a run leaves. */
export interface HistoryEvent {
  /** One thread of control: it does one thing at a time, and goes on under another number after an unknown outcome. */
  readonly process: number
  /** `fail`: certainly not done. `info`: it may have been done, or may still be. */
  readonly type: 'invoke' | 'ok' | 'fail' | 'info'
  /** Workload and operation: `bank.transfer`. */
  readonly f: string
  /** Of `invoke` the step; of `ok` the reply; else why. */
  readonly value: unknown
  /** Nanoseconds since the run began, by the clients' monotonic clock. */
  readonly timeNs: number
  /** Of `ok`: the log index of the entry that did it, or of the state that was read. */
  readonly index?: number
}

/** What the clients ask for: a command of their machine, or a query (`look`). */
export interface Step {
  /** Unique in a run for commands: the machine writes it into its journal. '' for a query. */
  readonly id: string
  readonly f: StepName
  readonly key: string
  /** Amount, element or value, as `f` has it; else 0. */
  readonly a: number
  /** What a compare-and-set expects; else 0. */
  readonly b: number
  /** The receiving account of a transfer; else ''. */
  readonly to: string
}

export type StepName =
  | 'register.read'
  | 'register.write'
  | 'register.cas'
  | 'bank.read'
  | 'bank.transfer'
  | 'set.read'
  | 'set.add'
  | 'append.read'
  | 'append.append'
  | 'counter.read'
  | 'counter.add'
  | 'requests.emit'

/** One command of the machine's journal, in the order in which the log has them. */
export interface JournalEntry {
  readonly id: string
  readonly index: number
}

/** The same as a line of the journal. */
export interface CommandLine extends JournalEntry {
  /** Whose command it was. */
  readonly session: string
}

/** What the machine was told of a session: a line of the other half of its journal. */
export interface SessionLine {
  readonly kind: 'opened' | 'ended'
  readonly session: string
  readonly index: number
}

/** What the machine itself says of a run, of the state that its leader had at the end. */
export interface Journal {
  readonly commands: readonly CommandLine[]
  readonly sessions: readonly SessionLine[]
}

/** A server request as the session of one lane was given it: `told` is the command that emitted it. */
export interface Delivery {
  readonly lane: number
  readonly serverRequestId: number
  readonly told: string
}

/** An operation from its call to its end, joined from two events. */
export interface Operation {
  readonly process: number
  readonly step: Step
  readonly query: boolean
  readonly type: 'ok' | 'fail' | 'info'
  /** Of `ok`: as JSON. */
  readonly reply: string
  readonly invokedNs: number
  /** Of an unknown outcome: Infinity. */
  readonly completedNs: number
  /** 0: not known. */
  readonly index: number
}

/** Joins calls and ends; calls without an end are unknown. Throws where a process calls twice without an end. */
export function operationsOf(events: readonly HistoryEvent[]): Operation[] {
  const open = new Map<number, HistoryEvent>()
  const operations: Operation[] = []
  for (const event of events) {
    const call = open.get(event.process)
    if (event.type === 'invoke') {
      if (call !== undefined) throw new Error(`process ${event.process} calls ${event.f} before ${call.f} has ended`)
      open.set(event.process, event)
    } else {
      if (call === undefined) throw new Error(`process ${event.process} ends ${event.f} without a call`)
      open.delete(event.process)
      operations.push(joined(call, event))
    }
  }
  for (const call of open.values()) operations.push(joined(call, { ...call, type: 'info', value: null }))
  return operations
}

function joined(call: HistoryEvent, end: HistoryEvent): Operation {
  const step = call.value as Step // What the clients write into an `invoke`.
  const type = end.type === 'invoke' ? 'info' : end.type
  return {
    process: call.process,
    step,
    query: step.id === '',
    type,
    reply: type === 'ok' ? String(end.value) : '',
    invokedNs: call.timeNs,
    completedNs: type === 'info' ? Number.POSITIVE_INFINITY : end.timeNs,
    index: end.index ?? 0,
  }
}
