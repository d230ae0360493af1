import { writeFileSync } from 'node:fs'
import { ACCOUNTS, OPENING_BALANCE } from '../verdict/model.ts'

/** Most lines of the journal that one query answers. */
export const JOURNAL_PAGE = 1000

/**
 * The machine of the clients, beside that of the open loop and the payments: registers, accounts, sets, lists and counters,
 * and a journal of every command, and of every session's begin and end, with its index. Each reply is JSON. Refusals are
 * replies: what is not executed leaves no line in the journal.
 */
const TEXT = `
import { command, defineMachine, query, table } from 'holdfast'
import { z } from 'zod'

export { payments, register } from 'holdfast/machines'

const journalLine = z.object({ id: z.string(), index: z.int(), session: z.string() })
const sessionLine = z.object({ kind: z.enum(['opened', 'ended']), session: z.string(), index: z.int() })

/** The number of the next line of that part of the journal. */
const lineOf = (state, part) => {
  const line = state.lines.get(part) ?? 0
  state.lines.set(part, line + 1)
  return line
}

const step = z.object({ f: z.string(), key: z.string(), a: z.int(), b: z.int(), to: z.string() })

const accounts = (rows) => {
  const found = new Map(rows.range({ limit: ${ACCOUNTS} }))
  return Array.from({ length: ${ACCOUNTS} }, (_, at) => ['a' + at, found.get('a' + at) ?? ${OPENING_BALANCE}])
}

const look = (view, { f, key }) => {
  switch (f) {
    case 'register.read': return view.registers.get(key) ?? null
    case 'bank.read': return accounts(view.accounts)
    case 'set.read': return view.elements.range({ prefix: [key], limit: 10_000 }).flatMap(([[, element], times]) => Array(times).fill(element))
    case 'append.read': return view.lists.get(key) ?? []
    case 'counter.read': return view.counters.get(key) ?? 0
    default: throw new Error('no such question')
  }
}

const change = (state, { f, key, a, b, to }) => {
  switch (f) {
    case 'register.write': state.registers.set(key, a); return null
    case 'register.cas':
      if ((state.registers.get(key) ?? 0) !== b) return false
      state.registers.set(key, a)
      return true
    case 'bank.transfer': {
      const from = state.accounts.get(key) ?? ${OPENING_BALANCE}
      if (key === to || from < a) return false
      state.accounts.set(key, from - a)
      state.accounts.set(to, (state.accounts.get(to) ?? ${OPENING_BALANCE}) + a)
      return true
    }
    case 'set.add': state.elements.set([key, a], (state.elements.get([key, a]) ?? 0) + 1); return null
    case 'append.append': state.lists.set(key, [...(state.lists.get(key) ?? []), a]); return null
    case 'counter.add': {
      const next = (state.counters.get(key) ?? 0) + a
      state.counters.set(key, next)
      return next
    }
    default: return look(state, { f, key })
  }
}

export const proof = defineMachine(
  'proof',
  {
    version: 1,
    state: {
      registers: table(z.string(), z.int()),
      accounts: table(z.string(), z.int()),
      elements: table(z.tuple([z.string(), z.int()]), z.int()),
      lists: table(z.string(), z.array(z.int())),
      counters: table(z.string(), z.int()),
      journal: table(z.int(), journalLine),
      sessions: table(z.int(), sessionLine),
      lines: table(z.string(), z.int()),
    },
    requests: { told: z.object({ id: z.string() }) },
  },
  {
    commands: {
      change: command({ input: step.extend({ id: z.string() }), output: z.string() }, (ctx, input) => {
        const { state } = ctx
        state.journal.set(lineOf(state, 'journal'), { id: input.id, index: ctx.index, session: ctx.session.id })
        // A server request to whoever asks, which names the command.
        if (input.f === 'requests.emit') return JSON.stringify(ctx.emit(ctx.session.id, 'told', { id: input.id }))
        return JSON.stringify(change(state, input))
      }),
    },
    queries: {
      look: query({ input: step, output: z.string() }, (view, input) => JSON.stringify(look(view, input))),
      journal: query(
        { input: z.int(), output: z.array(journalLine) },
        (view, from) => view.journal.range({ from, limit: ${JOURNAL_PAGE} }).map(([, line]) => line),
      ),
      sessions: query(
        { input: z.int(), output: z.array(sessionLine) },
        (view, from) => view.sessions.range({ from, limit: ${JOURNAL_PAGE} }).map(([, line]) => line),
      ),
    },
    onSessionCreated: ({ state, index }, { id }) => {
      state.sessions.set(lineOf(state, 'sessions'), { kind: 'opened', session: id, index })
    },
    onSessionExpired: ({ state, index }, { id }) => {
      state.sessions.set(lineOf(state, 'sessions'), { kind: 'ended', session: id, index })
    },
  },
)
`

export function writeProofModule(path: string): void {
  writeFileSync(path, TEXT)
}
