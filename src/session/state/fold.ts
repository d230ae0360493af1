import { unreachable } from '../../base/assert.ts'
import type { EntryKind } from '../../codec/entry/entry.ts'
import type { LimitsRow, MachineAdvance, ScheduleStep } from '../../codec/entry/payload.ts'
import type { RunningHash } from '../../codec/value/running-hash.ts'
import type { SessionRecord } from '../clients/session-record.ts'
import { rowValue } from '../rows/dictionary.ts'
import type { SkippedPart } from '../skipped-parts.ts'
import type { Reply } from '../state-machine.ts'
import type { Keeping, WaiterRow } from '../tables/wait-rows.ts'
import type { SessionInfo, TaskKind } from '../user-machine.ts'
import type { ReplicatedState } from './replicated-state.ts'

/*
 * What the running hash covers (sessions.md §3, step 14), one function for each thing. Two replicas with one hash have
 * decided alike at every entry so far, not only come to the same rows. The order and the words are part of what a log means:
 * a change here makes an old log's hashes others.
 *
 * Three things are folded where they are checked, by the walk that checks them: a key and value that a machine writes
 * (`WriteBuffer`), a value that it hands over or returns (`Transaction.walk`, `MachineRunner`), and what outlives a rejection,
 * which is walked aside and folded as one number once it stays (`Transaction`). A rollback takes back what its transaction
 * folded.
 */

/** The first thing of every entry, before the timers that are due. */
export function foldIndex({ codec, hash, index }: ReplicatedState): void {
  codec.foldNumber(hash, index)
}

/** A timer that fires, at its logical time `now`. */
export function foldTimer({ codec, hash, now }: ReplicatedState, key: string): void {
  codec.foldNumber(hash, now)
  codec.foldString(hash, key)
}

/** The kind of an entry, after its timers and before what it does. */
export function foldKind({ codec, hash }: ReplicatedState, kind: EntryKind): void {
  codec.foldString(hash, kind)
}

/** Who opens a session, before the machine is asked. */
export function foldOpening({ codec, hash }: ReplicatedState, info: SessionInfo): void {
  codec.walkRow(info, hash)
}

/** A session that ends, before its hook. */
export function foldEnding({ codec, hash }: ReplicatedState, session: SessionRecord, reason: string): void {
  codec.foldNumber(hash, session.row.index)
  codec.foldString(hash, reason)
}

/** A server request that is sent again or buried. */
export function foldRetry({ codec, hash }: ReplicatedState, session: SessionRecord, serverRequestId: number): void {
  codec.foldNumber(hash, session.row.index)
  codec.foldNumber(hash, serverRequestId)
}

/** A dead letter that an operator wants moved, and what came of it. */
export function foldDeadLetter({ codec, hash }: ReplicatedState, letter: number, outcome: string): void {
  codec.foldNumber(hash, letter)
  codec.foldString(hash, outcome)
}

/** A subject that is forgotten, whether it was before or not. */
export function foldForgotten({ codec, hash }: ReplicatedState, subject: string): void {
  codec.foldString(hash, subject)
}

/** A task that is leased to a worker. */
export function foldLease({ codec, hash }: ReplicatedState, taskId: string, worker: SessionRecord): void {
  codec.foldString(hash, taskId)
  codec.foldNumber(hash, worker.row.index)
}

export function foldIncarnation({ codec, hash, incarnation }: ReplicatedState): void {
  codec.foldNumber(hash, incarnation)
}

export function foldLimits({ codec, hash }: ReplicatedState, limits: LimitsRow): void {
  codec.walk(rowValue(limits), hash)
}

/** A machine's new version, after its migration. */
export function foldVersion({ codec, hash }: ReplicatedState, { machine, to, schema }: MachineAdvance): void {
  codec.foldString(hash, machine)
  codec.foldNumber(hash, to)
  codec.foldString(hash, schema)
}

/** `ctx.emit`; its payload follows. */
export function foldEmission({ codec, hash }: ReplicatedState, target: SessionRecord, type: string): void {
  codec.foldNumber(hash, target.row.index)
  codec.foldString(hash, type)
}

/** `ctx.notify`; its body follows. */
export function foldNotification({ codec, hash }: ReplicatedState, principal: string, topic: string): void {
  codec.foldString(hash, principal)
  codec.foldString(hash, topic)
}

/** `ctx.task`; its payload follows. */
export function foldTask({ codec, hash }: ReplicatedState, machine: string, kind: TaskKind, ref: string): void {
  codec.foldString(hash, machine)
  codec.foldString(hash, kind.kind)
  codec.foldString(hash, ref)
}

/** `ctx.cancelTask`, whether there is such a task or not. */
export function foldTaskCancelled({ codec, hash }: ReplicatedState, taskId: string): void {
  codec.foldString(hash, taskId)
}

/** `ctx.schedule`, with the time that the timer is due at in the end; its payload follows. */
export function foldTimerArmed({ codec, hash }: ReplicatedState, machine: string, name: string, dueAt: number): void {
  codec.foldString(hash, machine)
  codec.foldString(hash, name)
  codec.foldNumber(hash, dueAt)
}

/** `ctx.cancel`, whether there is such a timer or not. */
export function foldTimerCancelled({ codec, hash }: ReplicatedState, machine: string, name: string): void {
  codec.foldString(hash, machine)
  codec.foldString(hash, name)
}

/** `ctx.wait`, with the time at which it ends in the end, or -1; and whom it is for. */
export function foldWait(
  { codec, hash }: ReplicatedState,
  wait: Pick<WaiterRow, 'machine' | 'key' | 'owner' | 'deliver' | 'dueAt'>,
): void {
  codec.foldString(hash, wait.machine)
  codec.foldString(hash, wait.key)
  codec.foldString(hash, `${wait.owner ?? ''} ${wait.deliver ?? ''}`)
  codec.foldNumber(hash, wait.dueAt ?? -1)
}

/** `ctx.signal`, with the time until which it would be kept and how; its value follows. */
export function foldSignal(
  { codec, hash }: ReplicatedState,
  signal: { readonly machine: string; readonly key: string },
  { until, keptMax, overflow }: Keeping,
): void {
  codec.foldString(hash, signal.machine)
  codec.foldString(hash, signal.key)
  codec.foldNumber(hash, until)
  codec.foldNumber(hash, keptMax)
  codec.foldString(hash, overflow)
}

/** `ctx.cancelWait`, whether there is such a wait or not. */
export function foldWaitCancelled({ codec, hash }: ReplicatedState, machine: string, waitId: string): void {
  codec.foldString(hash, machine)
  codec.foldString(hash, waitId)
}

/** The end of a wait, as it is delivered. */
export function foldWaitEnd({ codec, hash }: ReplicatedState, { waitId }: WaiterRow, kind: string): void {
  codec.foldString(hash, waitId)
  codec.foldString(hash, kind)
}

/** A call of `ctx.schedules` that changes something, whether it does or not; what it gives is folded by the walk over it. */
export function foldScheduleCall(
  { codec, hash }: ReplicatedState,
  call: string,
  { machine, name }: { readonly machine: string; readonly name: string },
): void {
  codec.foldString(hash, call)
  codec.foldString(hash, machine)
  codec.foldString(hash, name)
}

/** What became of an occurrence, by its time, or of a run, by its number. */
export function foldScheduleFate({ codec, hash }: ReplicatedState, fate: string, of: number): void {
  codec.foldString(hash, fate)
  codec.foldNumber(hash, of)
}

/** A step of ScheduleNext, and whether it changed anything; what it says is in the log. */
export function foldScheduleStep({ codec, hash }: ReplicatedState, step: ScheduleStep, taken: boolean): void {
  codec.foldString(hash, step.kind)
  codec.foldString(hash, step.machine)
  codec.foldString(hash, step.name)
  codec.foldNumber(hash, step.upTo)
  for (const time of step.times) codec.foldNumber(hash, time)
  codec.foldNumber(hash, taken ? 1 : 0)
}

/** A fresh `ctx.once`, by its row key; its value follows. */
export function foldOnce({ codec, hash }: ReplicatedState, key: string, fingerprint: string): void {
  codec.foldString(hash, key)
  codec.foldString(hash, fingerprint)
}

/** A machine's rejection, after the rollback; `details` is the hash of its details alone. */
export function foldRejection({ codec, hash }: ReplicatedState, code: string, details: RunningHash): void {
  codec.foldString(hash, code)
  codec.foldNumber(hash, details.high)
  codec.foldNumber(hash, details.low)
}

/** A command that broke: the code of its outcome, whose details follow. */
export function foldMachineError({ codec, hash }: ReplicatedState, code: string): void {
  codec.foldString(hash, code)
}

/** A hook or timer that broke, after the rollback. */
export function foldFailedHook({ codec, hash }: ReplicatedState, reason: string): void {
  codec.foldString(hash, reason)
}

/** What a transaction keeps for good, committed or rejected; `kept` is the hash of the records and details alone. */
export function foldKept({ codec, hash }: ReplicatedState, kept: RunningHash): void {
  codec.foldNumber(hash, kept.high)
  codec.foldNumber(hash, kept.low)
}

/**
 * What an entry answered, the last thing of it. An executed outcome was folded as it arose, a replayed one by its own
 * entry.
 */
export function foldReply({ codec, hash }: ReplicatedState, reply: Reply): void {
  switch (reply.kind) {
    case 'none':
      return
    case 'outcome':
      if (reply.replayed) codec.foldNumber(hash, reply.index)
      if (reply.invalidAck) codec.foldNumber(hash, -1)
      return
    case 'refused':
      codec.foldString(hash, reply.code)
      codec.walkRow(reply.details, hash)
      return
    case 'opened':
      codec.foldString(hash, reply.sessionId)
      return
    case 'attached':
      codec.foldNumber(hash, reply.epoch)
      codec.foldNumber(hash, reply.nextRequestId)
      return
    case 'acknowledged':
      codec.foldNumber(hash, reply.upTo)
      return
    // Of these each part was folded as it came to be.
    case 'closed':
    case 'moved':
    case 'scheduled':
    case 'forgotten':
      return
    case 'keptAlive':
      for (const alive of reply.alive) codec.foldNumber(hash, alive ? 1 : 0)
      return
    default:
      unreachable(reply)
  }
}

/** A part of this entry that is not run. */
export function foldSkipped({ codec, hash }: ReplicatedState, { part }: SkippedPart): void {
  codec.foldString(hash, 'skipped')
  codec.foldString(hash, part)
}
