import { unreachable } from '../base/assert.ts'
import { KEY_ID_BYTES } from '../codec/value/sealed.ts'
import type { NodeId } from '../base/brand.ts'
import type { RaftNode } from '../node/api.ts'
import type { Clock } from '../node/ports/clock.ts'
import type { StorageFault } from '../node/ports/storage-fault.ts'
import { KeyFault, type KeyFiles, text } from './key-files.ts'
import { decodeRequest, encodeMessage, type KeyAnswer, type KeyRequest, KEYS_PER_MESSAGE } from './key-messages.ts'
import type { KeyPeers } from './key-peers.ts'
import type { SubjectKey } from './key-record.ts'

/** How long a node that is asked whether a subject's keys are destroyed may take to apply the entry that says so. */
const DESTROY_MS = 2_000
const NO: KeyAnswer = { kind: 'no' }
const NO_ID = new Uint8Array(0)

export interface ExchangeParts {
  readonly node: RaftNode
  readonly files: KeyFiles
  readonly peers: KeyPeers
  readonly clock: Clock
  readonly onFault: (fault: StorageFault) => void
}

/**
 * How keys come from node to node: beside the log, which cannot be erased. A key only ever goes to members of the group, which
 * store it before they answer; no node takes one of a subject that it has forgotten.
 */
export class KeyExchange {
  private readonly parts: ExchangeParts
  private readonly changed: () => void

  /** `changed` is told when keys have come. */
  constructor(parts: ExchangeParts, changed: () => void) {
    this.parts = parts
    this.changed = changed
  }

  /** Sends a key to every other member that is not known to hold it; resolves once each has answered, or none has in time. */
  async offer(key: SubjectKey): Promise<void> {
    const { peers } = this.parts
    const lacking = peers.others().filter((peer) => !peers.knownToHold(peer, key.keyId))
    await Promise.all(
      lacking.map(async (peer) => {
        const answer = await peers.ask(peer, { kind: 'store', keys: [key] })
        if (answer?.kind !== 'stored') return
        peers.holds(peer, key.keyId)
        // A majority is enough: nobody waits for one who is away.
        if (peers.isSafe(key.keyId)) this.changed()
      }),
    )
  }

  /**
   * Looks for a key that this node lacks. `lost`: no majority of the voters has it, so nothing that it sealed was committed,
   * or it is destroyed.
   */
  async want(keyId: Uint8Array): Promise<'found' | 'lost' | 'unknown'> {
    const { peers } = this.parts
    const without: NodeId[] = []
    let found = false
    await Promise.all(
      peers.others().map(async (peer) => {
        const answer = await peers.ask(peer, { kind: 'want', keyId })
        if (answer?.kind !== 'keys') return
        if (answer.keys.length === 0) without.push(peer)
        else if (await this.store(answer.keys)) found = true
      }),
    )
    if (found) return 'found'
    return peers.isMajority(without) ? 'lost' : 'unknown'
  }

  /** Takes over what the leader has and this node lacks. */
  async compare(): Promise<void> {
    const { node, peers } = this.parts
    const { leader } = node
    if (leader === null || leader === node.id) return
    let after = NO_ID
    for (;;) {
      const answer = await peers.ask(leader, { kind: 'all', after, sum: this.parts.files.sum })
      if (answer?.kind !== 'keys') return
      if (answer.keys.length > 0 && (await this.store(answer.keys))) this.changed()
      const last = answer.keys.at(-1)
      if (!answer.more || last === undefined) return
      after = Uint8Array.from(last.keyId)
    }
  }

  /** Answers another member. */
  async answer(
    { sender, senderInstance }: { readonly sender: NodeId; readonly senderInstance: string },
    bytes: Uint8Array,
  ): Promise<Uint8Array> {
    const request = this.parts.peers.isMember(sender, senderInstance) ? decodeRequest(bytes) : null
    return encodeMessage(request === null ? NO : await this.answerTo(sender, request))
  }

  private async answerTo(sender: NodeId, request: KeyRequest): Promise<KeyAnswer> {
    const { files, peers } = this.parts
    switch (request.kind) {
      case 'store': {
        const stored = await this.store(request.keys)
        if (stored) for (const { keyId } of request.keys) peers.holds(sender, keyId)
        return stored ? { kind: 'stored' } : NO
      }
      case 'want': {
        const key = files.find(request.keyId)
        return { kind: 'keys', keys: key === null ? [] : [key], more: false }
      }
      case 'all':
        return this.page(request)
      case 'destroyed':
        return (await this.destroyed(request.subject, request.index)) ? { kind: 'destroyed' } : NO
      default:
        return unreachable(request)
    }
  }

  private page({ after, sum }: Extract<KeyRequest, { kind: 'all' }>): KeyAnswer {
    const all = this.parts.files.all()
    if (after.length !== KEY_ID_BYTES && Buffer.compare(this.parts.files.sum, sum) === 0)
      return { kind: 'keys', keys: [], more: false }
    const above = all
      .filter(({ keyId }) => after.length !== KEY_ID_BYTES || Buffer.compare(keyId, after) > 0)
      .sort((left, right) => Buffer.compare(left.keyId, right.keyId))
    return { kind: 'keys', keys: above.slice(0, KEYS_PER_MESSAGE), more: above.length > KEYS_PER_MESSAGE }
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
