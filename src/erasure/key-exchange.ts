import { unreachable } from '../base/assert.ts'
import type { NodeId } from '../base/brand.ts'
import type { RaftNode } from '../node/api.ts'
import type { Clock } from '../node/ports/clock.ts'
import type { StorageFault } from '../node/ports/storage-fault.ts'
import { KeyFault, type KeyFiles, text } from './key-files.ts'
import { decodeRequest, encodeMessage, type KeyAnswer, type KeyRequest } from './key-messages.ts'
import { KeyPages } from './key-pages.ts'
import type { KeyPeers } from './key-peers.ts'
import type { SubjectKey } from './key-record.ts'

/** How long a node that is asked whether a subject's keys are destroyed may take to apply the entry that says so. */
const DESTROY_MS = 2_000
/** Between two comparisons of this node's keys with those of another one. */
export const COMPARE_MS = 5_000
/** The same with one that has nothing new, while its keys are not those of this node. */
const COMPARE_MS_MAX = 160_000
const NO: KeyAnswer = { kind: 'no' }
const NO_ID = new Uint8Array(0)

/** A comparison with a member in which nothing new came. */
interface Compared {
  readonly instance: string
  /** Of this node's keys at its end. */
  readonly sum: Uint8Array
  readonly at: number
  readonly waitMs: number
}

export interface ExchangeParts {
  readonly node: RaftNode
  readonly files: KeyFiles
  readonly peers: KeyPeers
  readonly clock: Clock
  readonly onFault: (fault: StorageFault) => void
}

interface Asker {
  readonly sender: NodeId
  readonly senderInstance: string
}

/**
 * How keys come from node to node: beside the log, which cannot be erased. A key only ever goes to members of the group, which
 * store it before they answer; no node takes one of a subject that it has forgotten.
 */
export class KeyExchange {
  private readonly parts: ExchangeParts
  private readonly changed: () => void
  private readonly pages: KeyPages
  private readonly compared = new Map<NodeId, Compared>()

  /** `changed` is told when keys have come. */
  constructor(parts: ExchangeParts, changed: () => void) {
    this.parts = parts
    this.changed = changed
    this.pages = new KeyPages(parts.files, parts.clock)
  }

  /** Sends a key to every other member that is not known to hold it; resolves once each has answered, or none has in time. */
  async offer(key: SubjectKey): Promise<void> {
    const { peers } = this.parts
    const lacking = peers.others().filter((peer) => !peers.knownToHold(peer, key.keyId))
    await Promise.all(
      lacking.map(async (peer) => {
        const instance = peers.instanceOf(peer)
        const answer = await peers.ask(peer, { kind: 'store', keys: [key] })
        if (answer?.kind !== 'stored') return
        peers.holds(peer, instance, key.keyId)
        // A majority is enough: nobody waits for one who is away.
        if (peers.isSafe(key.keyId)) this.changed()
      }),
    )
  }

  /**
   * Looks for a key that this node lacks. `lost`: every other voter was asked and has none. A majority would not do: who has
   * another disk, or a slot that cannot be read, says so too.
   */
  async want(keyId: Uint8Array): Promise<'found' | 'lost' | 'unknown'> {
    const { peers } = this.parts
    const without = new Set<NodeId>()
    let found = false
    await Promise.all(
      peers.others().map(async (peer) => {
        const answer = await peers.ask(peer, { kind: 'want', keyId })
        if (answer?.kind !== 'keys') return
        if (answer.keys.length === 0) without.add(peer)
        else if (await this.store(answer.keys)) found = true
      }),
    )
    if (found) return 'found'
    const voters = peers.otherVoters()
    return voters.length > 0 && voters.every((peer) => without.has(peer)) ? 'lost' : 'unknown'
  }

  /**
   * Takes over what any other member has and this node lacks, whoever leads: a leader too may have been away as a key was made,
   * and the one that made it may be gone before it is compared with.
   */
  async compare(): Promise<void> {
    await Promise.all(this.parts.peers.others().map((peer) => this.compareWith(peer)))
  }

  private async compareWith(peer: NodeId): Promise<void> {
    const { files, peers, clock } = this.parts
    const instance = peers.instanceOf(peer)
    const before = this.compared.get(peer)
    const same = before?.instance === instance && Buffer.compare(before.sum, files.sum) === 0
    if (before !== undefined && same && clock.monotonicMs() - before.at < before.waitMs) return
    this.compared.delete(peer)
    // While the sums differ because this one has more, each round reads all that the other one has: less and less often.
    if ((await this.takeFrom(peer)) !== 'nothing') return
    const waitMs = before !== undefined && same ? Math.min(before.waitMs * 2, COMPARE_MS_MAX) : COMPARE_MS * 2
    this.compared.set(peer, { instance, sum: files.sum, at: clock.monotonicMs(), waitMs })
  }

  private async takeFrom(peer: NodeId): Promise<'equal' | 'nothing' | 'some' | 'unknown'> {
    const { files, peers, node } = this.parts
    let after = NO_ID
    let taken = false
    for (;;) {
      const answer = await peers.ask(peer, { kind: 'all', after, sum: files.sum })
      if (answer?.kind !== 'keys') return 'unknown'
      const last = answer.keys.at(-1)
      if (last === undefined && after === NO_ID) return 'equal'
      const lacking = answer.keys.filter(
        ({ keyId, subject }) => files.find(keyId) === null && node.machine.forgotten(text(subject)) === null,
      )
      if (lacking.length > 0) {
        taken = true
        if (await this.store(lacking)) this.changed()
      }
      if (!answer.more || last === undefined) return taken ? 'some' : 'nothing'
      after = Uint8Array.from(last.keyId)
    }
  }

  /** Answers another member. */
  async answer({ sender, senderInstance }: Asker, bytes: Uint8Array): Promise<Uint8Array> {
    const request = this.parts.peers.isMember(sender, senderInstance) ? decodeRequest(bytes) : null
    return encodeMessage(request === null ? NO : await this.answerTo({ sender, senderInstance }, request))
  }

  private async answerTo({ sender, senderInstance }: Asker, request: KeyRequest): Promise<KeyAnswer> {
    const { files, peers } = this.parts
    switch (request.kind) {
      case 'store': {
        const stored = await this.store(request.keys)
        if (stored) for (const { keyId } of request.keys) peers.holds(sender, senderInstance, keyId)
        return stored ? { kind: 'stored' } : NO
      }
      case 'want': {
        const key = files.find(request.keyId)
        return { kind: 'keys', keys: key === null ? [] : [key], more: false }
      }
      case 'all':
        return await this.page(request)
      case 'destroyed':
        return (await this.destroyed(request.subject, request.index)) ? { kind: 'destroyed' } : NO
      default:
        return unreachable(request)
    }
  }

  private async page({ after, sum }: Extract<KeyRequest, { kind: 'all' }>): Promise<KeyAnswer> {
    if (after.length === 0 && Buffer.compare(this.parts.files.sum, sum) === 0)
      return { kind: 'keys', keys: [], more: false }
    return { kind: 'keys', ...(await this.pages.after(after)) }
  }

  /** False: one of them is of a forgotten subject, or cannot be stored. */
  private async store(keys: readonly SubjectKey[]): Promise<boolean> {
    const { files, node, onFault } = this.parts
    // Between this look and the add nothing is applied, and what is applied after it destroys what was added.
    const wanted = keys.filter(({ subject }) => node.machine.forgotten(text(subject)) === null)
    try {
      await files.add(wanted)
    } catch (error) {
      if (!(error instanceof KeyFault)) throw error
      onFault(error.fault)
      return false
    }
    return wanted.length === keys.length
  }

  private async destroyed(subject: Uint8Array, index: number): Promise<boolean> {
    const { node, files, clock } = this.parts
    const name = text(subject)
    const reached = await new Promise<boolean>((resolve) => {
      const timer = clock.setTimer(DESTROY_MS, () => {
        wait.cancel()
        resolve(false)
      })
      const wait = node.waitApplied(index, (applied) => {
        // It may be applied already, and this the first that is heard of it.
        clock.defer(() => timer.cancel())
        resolve(applied)
      })
    })
    if (!reached || node.machine.forgotten(name) === null) return false
    try {
      await files.destroy(name)
      return true
    } catch (error) {
      if (!(error instanceof KeyFault)) throw error
      return false
    }
  }
}
