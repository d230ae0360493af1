import type { TracedAppendEntries, TracedMessage, TracedRun, TracedSend } from '../line.ts'
import type { SpecServer } from './server.ts'
import { allow } from './not-allowed.ts'

interface Sent {
  readonly from: string
  readonly life: number
  readonly send: TracedSend
  /** The entry up to which the sender says that its disk holds the log; index 0: it says nothing of it. */
  readonly holds: { readonly index: number; readonly term: number }
  /** It is on its way: what it waits for is on disk. */
  left: boolean
}

/** What is on its way. A message may be lost, arrive late and more than once; nothing arrives that nobody sent. */
export class Network {
  private readonly byName = new Map<string, Sent[]>()
  private waiting: Sent[] = []

  send(server: SpecServer, send: TracedSend): void {
    const sent = { from: server.name, life: server.life, send, holds: holdingOf(server, send.message), left: false }
    const name = nameOf(server.name, send.to, send.message)
    const others = this.byName.get(name)
    if (others === undefined) this.byName.set(name, [sent])
    else others.push(sent)
    if (send.after !== null && send.after > server.disk.written) this.waiting.push(sent)
    else leave(server, sent)
  }

  /** A write of that server is on disk: what waited for it leaves. */
  written(server: SpecServer): void {
    const ready = ({ from, life, send }: Sent): boolean =>
      from === server.name && life === server.life && (send.after ?? 0) <= server.disk.written
    for (const sent of this.waiting) if (ready(sent)) leave(server, sent)
    this.waiting = this.waiting.filter((sent) => !ready(sent))
  }

  /** Whether that message can arrive: somebody sent it, and what it waited for was on disk before. */
  carries(from: string, to: string, message: TracedMessage): boolean {
    const sent = this.byName.get(nameOf(from, to, message)) ?? []
    return sent.some(({ left, send }) => left && isPartOf(message, send.message))
  }

  /** The process is gone: what waits in it is never sent. */
  forget(server: SpecServer): void {
    this.waiting = this.waiting.filter(({ from }) => from !== server.name)
  }
}

function nameOf(from: string, to: string, message: TracedMessage): string {
  const { kind, term } = message
  const number = 'sequence' in message ? message.sequence : 'id' in message ? `${message.life}.${message.id}` : ''
  return `${from} ${to} ${kind} ${term} ${number}`
}

/** What a reply or a RequestVote claims of the sender's disk (paper Figure 2: "before responding to RPCs"). */
function holdingOf({ log }: SpecServer, message: TracedMessage): Sent['holds'] {
  const index = claimedIndex(message)
  const term = log.termAt(index)
  // Below the base, a snapshot that is on disk holds it.
  return term === null ? { index: 0, term: 0 } : { index, term }
}

function claimedIndex(message: TracedMessage): number {
  if (message.kind === 'requestVote') return message.lastLogIndex
  if (message.kind === 'appendEntriesResponse') return message.result.success ? message.result.matchIndex : 0
  return message.kind === 'installSnapshotResponse' ? message.matchIndex : 0
}

/** A message leaves: what it claims of the disk must be so by now, unless a newer term has overtaken it there. */
function leave(server: SpecServer, sent: Sent): void {
  sent.left = true
  const { disk } = server
  const { message } = sent.send
  if (!claimsDurability(message) || disk.term > message.term) return
  const seen = (): string => `${server.name} sends ${message.kind} of term ${message.term}; its disk is in ${disk.term}`
  allow(disk.term === message.term, 'the term is on disk before anybody hears of it (paper Figure 2)', seen)
  const vote = votedFor(sent)
  allow(
    vote === null || disk.vote === vote,
    'a vote is on disk before it is given (paper Figure 2)',
    () => `${server.name} for ${vote ?? 'nobody'} in term ${message.term}; its disk says ${disk.vote ?? 'nobody'}`,
  )
  const { index, term } = sent.holds
  allow(
    index <= disk.log.base || index <= disk.snapshot || disk.log.termAt(index) === term,
    'entries are on disk before they are acknowledged (thesis §3.8)',
    () => `${server.name} claims ${index}@${term}; its disk ends with ${disk.log.last}@${disk.log.lastTerm}`,
  )
}

function claimsDurability({ kind }: TracedMessage): boolean {
  const replies = ['requestVote', 'requestVoteResponse', 'appendEntriesResponse', 'installSnapshotResponse']
  return replies.includes(kind)
}

/** Whom the sender has voted for, as the message says; null: it does not say. */
function votedFor({ from, send }: Sent): string | null {
  if (send.message.kind === 'requestVote') return from
  return send.message.kind === 'requestVoteResponse' && send.message.verdict.granted ? send.to : null
}

/** An AppendEntries may come in parts, each with an own previous entry; any other message arrives as it was sent. */
function isPartOf(message: TracedMessage, sent: TracedMessage): boolean {
  if (message.kind === 'appendEntries' && sent.kind === 'appendEntries') return isPartOfEntries(message, sent)
  return inOneOrder(message) === inOneOrder(sent)
}

/** As text, whatever order a codec puts the fields in. */
function inOneOrder(message: TracedMessage): string {
  return JSON.stringify(message, (_, value: unknown) =>
    typeof value === 'object' && value !== null
      ? Object.fromEntries(Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1)))
      : value,
  )
}

function isPartOfEntries(part: TracedAppendEntries, whole: TracedAppendEntries): boolean {
  if (part.leaderCommit !== whole.leaderCommit) return false
  const first = part.prevLogIndex + 1
  const termIn = (runs: readonly TracedRun[], index: number): number | undefined =>
    runs.find((run) => run.first <= index && index <= run.last)?.term
  const termBefore =
    part.prevLogIndex === whole.prevLogIndex ? whole.prevLogTerm : termIn(whole.runs, part.prevLogIndex)
  if (part.prevLogTerm !== termBefore) return false
  const last = part.runs.at(-1)?.last ?? part.prevLogIndex
  for (let index = first; index <= last; index += 1) {
    const term = termIn(part.runs, index)
    if (term === undefined || term !== termIn(whole.runs, index)) return false
  }
  return part.runs.length > 0 || whole.runs.length === 0
}
