import assert from 'node:assert/strict'
import { tablesOf } from '../../../src/machine/define/tables-of.ts'
import { sessionTables } from '../../../src/machines/gates/facts/dialogues.ts'
import { gatesTables } from '../../../src/machines/gates/facts/gates-schema.ts'
import { concierge, payments, reconciler } from '../../../src/machines/index.ts'
import type { ArmedTimer, ReadTables, Waiting } from '../../../src/testing/index.ts'

const ALL = { limit: 10_000 }
const exchangeTables = tablesOf('reconciler', reconciler.schema)
const moneyTables = tablesOf('payments', payments.schema)
const talkTables = tablesOf('concierge', concierge.schema)

/** Tables whose keys begin with a dialogue and one of its two people. */
const OF_PEOPLE = ['stages', 'people', 'events', 'boundaries', 'needs', 'requests', 'retrievals'] as const
/** Those whose keys begin with a dialogue alone. */
const OF_DIALOGUES = ['commonGround', 'strategies', 'agreements', 'consents'] as const
const DIRECTIONS = ['attempts', 'directions', 'results', 'validations', 'audit'] as const

/** Checked after every entry. */
export type ComposedInvariant = (tables: unknown, read: ReadTables, waiting: Waiting) => boolean | void

type Task = Waiting['tasks'][number]

/** Every name stands for something: no row, task or timer outlives what it is about, or is there before it. */
export function namesExist(reach: (what: string) => void): { readonly [name: string]: ComposedInvariant } {
  return {
    'rows of gates and of the exchange are those of a dialogue and of its two people': (_tables, read) => {
      const { dialogues } = read(sessionTables)
      const isOf = (sid: string, user: string | null): void => {
        const dialogue = dialogues.get(sid)
        assert.ok(dialogue !== undefined && dialogue.partnerId !== null, `there is no dialogue ${sid} of two people`)
        const { creatorId, partnerId } = dialogue
        assert.ok(user === null || user === creatorId || user === partnerId, `${user} is not in ${sid}`)
      }
      const stages = read(gatesTables)
      for (const table of OF_PEOPLE) for (const [[sid, user]] of stages[table].range(ALL)) isOf(sid, user)
      for (const table of OF_DIALOGUES) for (const [[sid]] of stages[table].range(ALL)) isOf(sid, null)
      for (const [sid] of stages.dialogues.range(ALL)) isOf(sid, null)
      for (const [, { sid }] of stages.refusals.range(ALL))
        reach(`a refusal ${dialogues.has(sid) ? 'in' : 'without'} a dialogue`)
      const exchange = read(exchangeTables)
      for (const table of DIRECTIONS) for (const [[sid, user]] of exchange[table].range(ALL)) isOf(sid, user)
      for (const [sid] of exchange.exchanges.range(ALL)) isOf(sid, null)
    },
    'every timer is of something that is there': (_tables, read, { timers }) => {
      for (const timer of timers) {
        assert.ok(timerExists(timer, read), `${timer.machine} ${timer.kind} ${timer.key}`)
        reach(`timer ${timer.machine} ${timer.kind}`)
      }
    },
    'every open task is one that its machine waits for, and the other way about': (_tables, read, { tasks }) => {
      const open = tasks.map(({ taskId }) => taskId).sort()
      const waiting = tasks.filter((task) => isMoney(task, read)).map(({ taskId }) => taskId)
      assert.deepEqual(open, [...waitedFor(read), ...waiting].sort())
    },
  }
}

function timerExists({ machine, kind, key, payload }: ArmedTimer, read: ReadTables): boolean {
  switch (machine) {
    case 'session':
      return read(sessionTables).dialogues.has(key)
    case 'reconciler': {
      const [sid = '', guesser = ''] = key.split(' ')
      return read(exchangeTables).directions.has([sid, guesser])
    }
    case 'payments':
      return read(moneyTables).bookings.has(key)
    case 'concierge': {
      if (kind === 'purge') return read(talkTables).conversations.has(key)
      const { id } = payload as { readonly id: string }
      return read(talkTables).conversations.has(id) && read(talkTables).entities.has(id)
    }
    default:
      return false
  }
}

/** Tasks that rows name: theirs are open, each of them. */
function waitedFor(read: ReadTables): readonly string[] {
  const stages = read(gatesTables)
  const exchange = read(exchangeTables)
  const ids = [
    ...read(sessionTables)
      .dialogues.range(ALL)
      .map(([, { invitation }]) => invitation.taskId),
    ...stages.people.range(ALL).map(([, { needsTaskId }]) => needsTaskId),
    ...stages.dialogues.range(ALL).flatMap(([, { analysis, suggestion }]) => [analysis.taskId, suggestion?.taskId]),
    ...exchange.attempts.range(ALL).map(([, { taskId }]) => taskId),
    ...exchange.directions.range(ALL).flatMap(([, { offers }]) => offers.map(({ refineTask }) => refineTask)),
    ...read(talkTables)
      .conversations.range(ALL)
      .map(([, { pendingTurn }]) => pendingTurn?.taskId),
  ]
  return ids.filter((id) => typeof id === 'string')
}

/** Tasks of payments name what they are about: an attempt or a refund. */
function isMoney({ machine, kind, ref }: Task, read: ReadTables): boolean {
  if (machine !== 'payments') return false
  const { attempts, refunds } = read(moneyTables)
  return kind === 'payment.refund' ? refunds.has(ref) : attempts.has(ref)
}
