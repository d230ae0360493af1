import { describe, expect, test } from 'vitest'
import { runTracedSeed } from '../../src/sim/run-seed.ts'
import { checkTrace } from '../../src/trace/check-trace.ts'
import type { StepLine, TracedMessage, TracedSend, TraceLine } from '../../src/trace/line.ts'

/**
 * A trace of three nodes with elections, conflicts, installs and restarts, edited as a node would have written it that had the
 * bug: the specification refuses each, by the rule that forbids it.
 */
const LINES = new Map<number, readonly TraceLine[]>()

function traceOf(seed: number): readonly TraceLine[] {
  const known = LINES.get(seed)
  if (known !== undefined) return known
  const lines: TraceLine[] = []
  expect(runTracedSeed(seed, (line) => lines.push(line)).failure).toBeNull()
  LINES.set(seed, lines)
  return lines
}

interface Edit {
  readonly bug: string
  /** The line with the bug; null: this line stays as it is. The first that is not null is put in. */
  readonly edit: (line: TraceLine) => TraceLine | null
  readonly rule: RegExp
}

const step = (edit: (line: StepLine) => TraceLine | null) => (line: TraceLine) =>
  line.kind === 'step' ? edit(line) : null

/** The step with its first message of that kind changed. */
function sending<Kind extends TracedMessage['kind']>(
  kind: Kind,
  change: (send: TracedSend, message: Extract<TracedMessage, { kind: Kind }>, line: StepLine) => TracedSend | null,
): (line: TraceLine) => TraceLine | null {
  return step((line) => {
    for (const [at, send] of line.sends.entries()) {
      if (send.message.kind !== kind) continue
      const changed = change(send, send.message as Extract<TracedMessage, { kind: Kind }>, line)
      if (changed !== null) return { ...line, sends: line.sends.with(at, changed) }
    }
    return null
  })
}

const EDITS: readonly Edit[] = [
  {
    bug: 'a vote is not written',
    edit: step((line) =>
      line.write !== null && line.write.hardState !== null && line.event.kind === 'receive'
        ? { ...line, write: { ...line.write, hardState: null } }
        : null,
    ),
    rule: /term and vote are written when they change/,
  },
  {
    bug: 'a vote is answered before it is on disk',
    edit: sending('requestVoteResponse', (send, { verdict }) =>
      verdict.granted && send.after !== null ? { ...send, after: null } : null,
    ),
    rule: /is on disk before/,
  },
  {
    bug: 'entries are acknowledged before they are on disk',
    edit: sending('appendEntriesResponse', (send, { result }, line) =>
      result.success && send.after !== null && (line.write?.runs.length ?? 0) > 0 ? { ...send, after: null } : null,
    ),
    rule: /on disk before/,
  },
  {
    bug: 'more is acknowledged than was verified',
    edit: sending('appendEntriesResponse', (send, message) =>
      message.result.success
        ? { ...send, message: { ...message, result: { success: true, matchIndex: message.result.matchIndex + 1 } } }
        : null,
    ),
    rule: /no more is acknowledged than was verified/,
  },
  {
    bug: 'a leader commits what only it holds',
    edit: step((line) =>
      line.state.role === 'leader' && line.event.kind === 'propose' && line.state.commit < line.state.last
        ? { ...line, state: { ...line.state, commit: line.state.last } }
        : null,
    ),
    rule: /a majority holds the entry on disk/,
  },
  {
    bug: 'a follower commits beyond what it was sent',
    edit: step((line) =>
      line.event.kind === 'receive' &&
      line.event.message.kind === 'appendEntries' &&
      line.state.role === 'follower' &&
      line.state.commit < line.state.last
        ? { ...line, state: { ...line.state, commit: line.state.commit + 1 } }
        : null,
    ),
    rule: /a follower commits no more than it was told/,
  },
  {
    bug: 'the term falls',
    edit: step((line) =>
      line.event.kind === 'persisted' && line.state.term > 1
        ? { ...line, state: { ...line.state, term: line.state.term - 1 } }
        : null,
    ),
    rule: /currentTerm never falls/,
  },
  {
    bug: 'a server votes twice in a term',
    edit: step((line) =>
      line.event.kind === 'receive' && line.event.message.kind === 'appendEntries' && line.state.vote !== null
        ? { ...line, state: { ...line.state, vote: line.node } }
        : null,
    ),
    rule: /one candidate in a term|a vote goes to who asks/,
  },
  {
    bug: 'a candidate becomes leader without a majority',
    edit: step((line) =>
      line.state.role === 'candidate' ? { ...line, state: { ...line.state, role: 'leader' } } : null,
    ),
    rule: /BecomeLeader/,
  },
  {
    bug: 'a follower drops a suffix that does not conflict',
    edit: step((line) =>
      line.event.kind === 'receive' &&
      line.event.message.kind === 'appendEntries' &&
      line.write === null &&
      line.state.commit < line.state.last
        ? {
            ...line,
            write: { number: 1, hardState: null, truncateFrom: line.state.last, runs: [], restart: null },
          }
        : null,
    ),
    rule: /HandleAppendEntriesRequest/,
  },
  {
    bug: 'a leader sends entries of a term that its log does not have',
    edit: sending('appendEntries', (send, message) => {
      const [run, ...rest] = message.runs
      if (run === undefined) return null
      return { ...send, message: { ...message, runs: [{ ...run, term: run.term + 1 }, ...rest] } }
    }),
    rule: /the entries are the leader’s/,
  },
  {
    bug: 'a leader tells of commits that it has not made',
    edit: sending('appendEntries', (send, message) => ({
      ...send,
      message: { ...message, leaderCommit: message.leaderCommit + 1000 },
    })),
    rule: /no more is told than is committed/,
  },
  {
    bug: 'a node starts without what it had written',
    edit: (line) => (line.kind === 'opened' && line.term > 0 ? { ...line, vote: 'n9' } : null),
    rule: /a restart finds what was written/,
  },
  {
    bug: 'a message arrives that nobody sent',
    edit: step((line) =>
      line.event.kind === 'receive' && line.event.message.kind === 'appendEntries'
        ? { ...line, event: { ...line.event, message: { ...line.event.message, sequence: 999_999 } } }
        : null,
    ),
    rule: /what arrives was sent before/,
  },
  {
    bug: 'a write is lost that was said to be on disk',
    edit: (line) => (line.kind === 'written' && line.write > 3 ? { ...line, write: line.write + 100 } : null),
    rule: /only what was issued is written/,
  },
  {
    bug: 'a leader answers a read at once',
    edit: step((line) =>
      line.event.kind === 'read' && line.state.role === 'leader' && line.reads.length === 0
        ? { ...line, reads: [{ id: line.event.id, index: line.state.commit }] }
        : null,
    ),
    rule: /a majority follows the leader still/,
  },
  {
    bug: 'a read does not see what was committed before it',
    edit: step((line) =>
      line.state.role === 'leader' && line.reads.length > 0 && line.state.commit > 9
        ? { ...line, reads: line.reads.map((read) => ({ ...read, index: 0 })) }
        : null,
    ),
    rule: /a read sees what was committed before it/,
  },
  {
    bug: 'a follower goes by a configuration once it is committed',
    edit: step((line) =>
      line.state.role === 'follower' && (line.state.configuration?.index ?? 0) > 1
        ? { ...line, state: { ...line.state, configuration: { ...configurationOf(line), index: 1 } } }
        : null,
    ),
    rule: /the newest configuration of the log is in force/,
  },
  {
    bug: 'a term that a message brings is not adopted',
    edit: step((line) =>
      line.event.kind === 'receive' &&
      line.event.message.kind === 'appendEntries' &&
      line.event.message.term === line.state.term &&
      line.write?.hardState != null
        ? { ...line, state: { ...line.state, term: line.state.term - 1, vote: null } }
        : null,
    ),
    rule: /a server adopts the term of a message|currentTerm never falls/,
  },
  {
    bug: 'a read is answered that nobody asked for',
    edit: step((line) =>
      line.event.kind === 'persisted' && line.state.role === 'leader' && line.reads.length === 0
        ? { ...line, reads: [{ id: 999_999, index: line.state.commit }] }
        : null,
    ),
    rule: /only reads that were asked for/,
  },
  {
    bug: 'a follower takes the answer to one read for that to another',
    edit: step((line) =>
      line.event.kind === 'receive' && line.event.message.kind === 'readIndexResponse' && line.reads.length > 0
        ? { ...line, reads: line.reads.map((read) => ({ ...read, id: read.id + 500 })) }
        : null,
    ),
    rule: /a follower reads at the index that its leader gave/,
  },
  {
    bug: 'the log ends elsewhere than its changes say',
    edit: step((line) => ({ ...line, state: { ...line.state, last: line.state.last + 1 } })),
    rule: /the log is what its changes make of it|lastTerm/,
  },
]

function configurationOf({ state }: StepLine): NonNullable<StepLine['state']['configuration']> {
  if (state.configuration === null) throw new Error('there is none')
  return state.configuration
}

describe('the specification refuses what it must', () => {
  test.each(EDITS)('$bug', ({ edit, rule }) => {
    expect(refusalOf(edit)).toMatch(rule)
  })
})

const SEEDS_MAX = 40

/** The rule by which the first trace is refused that has a line to edit, once that line is edited. */
function refusalOf(edit: Edit['edit']): string {
  for (let seed = 1; seed <= SEEDS_MAX; seed += 1) {
    const lines = traceOf(seed)
    const at = lines.findIndex((line) => edit(line) !== null)
    const edited = lines[at] === undefined ? null : edit(lines[at])
    if (edited === null) continue
    return checkTrace(lines.with(at, edited)).violation?.rule ?? `nothing, in seed ${seed}`
  }
  return 'no line to edit'
}
