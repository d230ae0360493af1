import { assert } from '../../src/base/assert.ts'
import { type NodeId, type WriteNumber, writeNumber } from '../../src/base/brand.ts'
import type { Effect, Message, RaftState } from '../../src/raft/index.ts'
import { atRest, type Send, SEQUENCE, type Write } from './at-rest.ts'

/** An entry with what tells it from all others: 0 the Configuration, 1, 2, … commands, else by index and term. */
export interface Entry {
  readonly term: number
  readonly payload: number
}

export interface Packet {
  readonly message: Message
  readonly entries: readonly Entry[]
}

/** A log write on its way to the disk, and the entries that it brings. */
export interface Pending {
  readonly write: Write
  readonly entries: readonly Entry[]
}

/** What a crash leaves of a node. */
export interface Image {
  readonly currentTerm: number
  readonly votedFor: NodeId | null
  readonly log: readonly Entry[]
}

/** One node; `state` is null while it is down. Nothing of it is ever changed: a step makes another. */
export interface Node {
  readonly state: RaftState | null
  readonly log: readonly Entry[]
  readonly image: Image
  readonly queue: readonly Pending[]
  readonly waiting: readonly { readonly send: Send; readonly packet: Packet }[]
}

/** The disk once that write is done. */
export function written(image: Image, { write, entries }: Pending): Image {
  const { currentTerm, votedFor } = write.hardState ?? image
  const kept = write.truncateFrom === null ? image.log : image.log.slice(0, write.truncateFrom - 1)
  return { currentTerm, votedFor, log: [...kept, ...entries] }
}

/** What the effects of one step do to a node. */
export class NodeDraft {
  readonly sent: { to: NodeId; packet: Packet }[] = []
  private readonly node: Node
  private readonly received: readonly Entry[]
  private readonly command: number
  private log: readonly Entry[]
  private queue: readonly Pending[]
  private waiting: Node['waiting']

  constructor(node: Node, received: readonly Entry[], command: number) {
    this.node = node
    this.received = received
    this.command = command
    this.log = node.log
    this.queue = node.queue
    this.waiting = node.waiting
  }

  done(state: RaftState): Node {
    const by = state.disk.durableWrite - 1
    const queue =
      by === 0 ? this.queue : this.queue.map((pending) => ({ ...pending, write: renumbered(pending.write, by) }))
    const waiting =
      by === 0
        ? this.waiting
        : this.waiting.map(({ send, packet }) => ({ send: { ...send, after: numberLess(send.after, by) }, packet }))
    return { state: atRest(state), log: this.log, image: this.node.image, queue, waiting }
  }

  carryOut(effect: Effect): void {
    if (effect.kind === 'persist') return this.persist(effect)
    if (effect.kind === 'send') return this.send(effect)
    const known = effect.kind === 'apply' || effect.kind === 'abort' || effect.kind === 'refused'
    assert(known, 'nothing else happens in this world', { effect: effect.kind })
  }

  private persist(write: Write): void {
    const kept = write.truncateFrom === null ? this.log : this.log.slice(0, write.truncateFrom - 1)
    const count = write.entries.reduce((sum, run) => sum + run.last - run.first + 1, 0)
    const tail = this.received.slice(this.received.length - count)
    const entries: Entry[] = []
    for (const { first, last, term: of, source } of write.entries) {
      for (let index: number = first; index <= last; index += 1) {
        const copied = source.kind === 'received' ? tail[entries.length] : undefined
        const payload = source.kind === 'created' ? 100 * index + of : this.command
        entries.push(copied ?? { term: of, payload })
      }
    }
    this.log = [...kept, ...entries]
    this.queue = [...this.queue, { write, entries }]
  }

  private send(send: Send): void {
    const { message } = send
    const entries =
      message.kind === 'appendEntries'
        ? this.log.slice(message.prevLogIndex, message.runs.at(-1)?.last ?? message.prevLogIndex)
        : []
    const packet = { message: 'sequence' in message ? { ...message, sequence: SEQUENCE } : message, entries }
    if (send.after === null) this.sent.push({ to: send.to, packet })
    else this.waiting = [...this.waiting, { send: { ...send, message: packet.message }, packet }]
  }
}

const numberLess = (number: WriteNumber | null, by: number): WriteNumber | null =>
  number === null ? null : writeNumber(number - by)

const renumbered = (write: Write, by: number): Write => ({ ...write, write: writeNumber(write.write - by) })
