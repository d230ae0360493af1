import type { Value } from '../../codec/value/value.ts'
import { bare, type BareMachine, type MachineContext } from '../../machine/index.ts'
import type { Outcome, SignalOptions } from '../../session/user-machine.ts'
import type { WaitRecorder } from './wait-recorder.ts'

/** Name of the machine of the races. */
export const WAITS = 'waits'
/** What its waits and signals are named by. */
export interface RaceInput {
  readonly key: string
  readonly waitId: string
  /** Null: it does not time out. */
  readonly timeoutMs: number | null
  readonly owned: boolean
  readonly id: string
  readonly retentionMs: number
  readonly overflow: NonNullable<SignalOptions['overflow']>
}

/** Signals of a key that are kept: few, so that some are refused, dropped and replaced. */
export const KEPT_MAX = 4

/** Waits, signals and cancels as it is told, and passes signals of one key on to the next; the recorder sees all of it. */
export function waitMachine(recorder: WaitRecorder): BareMachine {
  return bare(WAITS, {
    apply: (context, { command, input }): Outcome => {
      // Only the clients of the same folder send anything.
      const race = input as unknown as RaceInput
      if (command === 'wait') return value(wait(context, race, recorder))
      if (command === 'signal') return value(signal(context, race, recorder))
      if (command === 'cancel') return value(cancel(context, race.waitId, recorder))
      // All of it is taken back: of a rejection nothing is recorded.
      context.signal(WAITS, race.key, 'lost')
      context.wait(WAITS, race.key, { timeoutMs: 1 })
      return { kind: 'reject', code: 'NOT_FOUND', details: null }
    },
    onSessionCreated: () => undefined,
    onSessionExpired: ({ index }, { id }) => recorder.add(index, { kind: 'left', session: id }),
    onWait: (context, { waitId, key, end }) => {
      const { index, now, state } = context
      recorder.add(index, { kind: 'ended', waitId, key, end, now })
      state.set(`${WAITS}/ends`, Number(state.get(`${WAITS}/ends`) ?? 0) + 1)
      if (end.kind !== 'signalled' || !key.startsWith('relay')) return
      const id = `${String(end.value)}+`
      signal(context, { ...PASSED_ON, key: key.slice('relay-'.length), id }, recorder)
    },
  })
}

const PASSED_ON = { waitId: '', timeoutMs: null, owned: false, retentionMs: 1000, overflow: 'dropOldest' } as const

function wait(context: MachineContext, { key, timeoutMs, owned }: RaceInput, recorder: WaitRecorder): string | null {
  const { index, now } = context
  const owner = owned ? (context.session?.id ?? null) : null
  const waitId = context.wait(WAITS, key, { timeoutMs, owner })
  const dueAt = timeoutMs === null ? null : now + timeoutMs
  recorder.add(index, { kind: 'wait', waitId, key, dueAt, owner, now })
  return waitId
}

function signal(context: MachineContext, race: RaceInput, recorder: WaitRecorder): string {
  const { key, id, retentionMs, overflow } = race
  const { index, now } = context
  const fate = context.signal(WAITS, key, id, { retentionMs, overflow, keptMax: KEPT_MAX })
  recorder.add(index, { kind: 'signal', id, key, fate, until: now + retentionMs, overflow, now })
  return fate
}

function cancel(context: MachineContext, waitId: string, recorder: WaitRecorder): boolean {
  const done = context.cancelWait(WAITS, waitId)
  recorder.add(context.index, { kind: 'cancelled', waitId, done })
  return done
}

const value = (given: Value): Outcome => ({ kind: 'value', value: given })
