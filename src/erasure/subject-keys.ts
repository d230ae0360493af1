import type { NodeId } from '../base/brand.ts'
import type { PersonalKeys, SealRefusal } from '../gateway/personal/personal-keys.ts'
import type { NodeEvent, NodeListener, RaftNode } from '../node/api.ts'
import type { Clock, Timer } from '../node/ports/clock.ts'
import type { StorageFault } from '../node/ports/storage-fault.ts'
import type { Applied } from '../session/state-machine.ts'
import { type SealedParts, sealedParts, subjectDigest } from '../codec/value/sealed.ts'
import type { Value } from '../codec/value/value.ts'
import { drawKey, openSealed, sealValue } from './aead.ts'
import { KeyFault, type KeyFiles, text } from './key-files.ts'
import { COMPARE_MS, KeyExchange } from './key-exchange.ts'
import type { KeyPeers } from './key-peers.ts'
import type { SubjectKey } from './key-record.ts'
import { openParts } from './open-parts.ts'

/** How long a command or an answer waits for a key: as long as a query does for its index. */
const WAIT_MS = 5_000
/** How long a confirming read may take before there is another one. */
const CONFIRM_MS = 2_000
/** How long a key counts as lost: a member may have taken it over, or another disk brought it, since they were asked. */
const LOST_MS = 30_000
const LOST_MAX = 10_000
/** Digests of subjects that are remembered, 100 bytes each. */
const DIGESTS_MAX = 10_000

const FORGOTTEN = Object.freeze({ $forgotten: true })

export interface SubjectKeysParts {
  readonly node: RaftNode
  readonly files: KeyFiles
  readonly peers: KeyPeers
  readonly clock: Clock
  /** A key file failed: the node stops. */
  readonly onFault: (fault: StorageFault) => void
}

/**
 * The keys of subjects at one node (docs/decisions/erasure.md): seals under them what is proposed here, opens what goes out,
 * and
 * destroys them as the log says. It reads applied state and writes none.
 */
export class SubjectKeys implements PersonalKeys, NodeListener {
  readonly exchange: KeyExchange
  private readonly parts: SubjectKeysParts
  private readonly digests = new Map<string, Uint8Array>()
  /** Subjects whose key is being made and sent to the voters, in hex. */
  private readonly making = new Set<string>()
  /** Keys that are asked for. */
  private readonly wanted = new Set<string>()
  /** Keys that no voter had as all were asked: since when, and who they were. */
  private readonly lost = new Map<string, { readonly at: number; readonly members: string }>()
  private readonly waiters = new Set<(changed: boolean) => void>()
  /** Since this process began it has applied whatever was committed then: it knows who was forgotten while it was away. */
  private confirmed = false
  private confirming = false
  private closed = false
  private timer: Timer | null = null

  constructor(parts: SubjectKeysParts) {
    this.parts = parts
    this.exchange = new KeyExchange(parts, () => this.changed())
    this.sweep()
  }

  seal(subject: string, value: Value): Uint8Array | SealRefusal {
    const { node, files, peers } = this.parts
    const digest = this.digestOf(subject)
    const name = text(digest)
    if (node.machine.forgotten(name) !== null) return 'SUBJECT_FORGOTTEN'
    const key = files.ofSubject(name).find(({ keyId }) => peers.isSafe(keyId))
    if (key !== undefined) return sealValue(value, key)
    void this.make(digest, name)
    return 'SUBJECT_KEY_PENDING'
  }

  open(value: Value): Value | undefined {
    return openParts(value, (bytes) => {
      const parts = sealedParts(bytes)
      return parts === null ? bytes : this.opened(bytes, parts)
    })
  }

  whenKeysChange(done: (changed: boolean) => void): () => void {
    const end = (): void => {
      timer.cancel()
      this.waiters.delete(tell)
    }
    const tell = (changed: boolean): void => {
      if (!this.waiters.has(tell)) return
      if (!changed) end()
      done(changed)
    }
    const timer = this.parts.clock.setTimer(WAIT_MS, () => tell(false))
    this.waiters.add(tell)
    return end
  }

  /**
   * Resolves once the keys of a subject that the entry at `index` has forgotten are destroyed here, and the other voters have
   * said
   * so or did not in time; learners too, which have the keys. Rejects where this node's cannot be destroyed.
   */
  async destroyed(subject: Uint8Array, index: number): Promise<{ readonly missing: readonly NodeId[] }> {
    const { files, peers } = this.parts
    const fault = await this.guarded(() => files.destroy(text(subject)))
    if (fault !== null) throw fault
    const missing: NodeId[] = []
    await Promise.all(
      peers.others().map(async (peer) => {
        const answer = await peers.ask(peer, { kind: 'destroyed', subject, index })
        if (answer?.kind !== 'destroyed') missing.push(peer)
      }),
    )
    return { missing: missing.sort() }
  }

  /** From now on keys that this node lacks are taken over from the others. */
  start(): void {
    void this.exchange.compare().finally(() => this.compareLater())
  }

  async close(): Promise<void> {
    this.closed = true
    this.timer?.cancel()
    for (const tell of [...this.waiters]) tell(false)
    await this.parts.files.close().catch(() => undefined)
  }

  // NodeListener

  applied({ reply }: Applied): void {
    if (reply.kind === 'forgotten') void this.guarded(() => this.parts.files.destroy(reply.subject))
  }

  batchApplied(): void {}

  roleChanged(): void {}

  stopped(): void {}

  noted({ kind }: NodeEvent): void {
    // A state that was not applied here may have others forgotten.
    if (kind === 'snapshotInstalled' || kind === 'resumed') this.sweep()
  }

  private sweep(): void {
    const { files, node } = this.parts
    void this.guarded(() => files.sweep((subject) => node.machine.forgotten(subject) !== null))
  }

  private opened(bytes: Uint8Array, parts: SealedParts): Value | undefined {
    const { files, node, peers } = this.parts
    // What nobody has told this node yet, it may not show.
    if (!this.confirmed) {
      this.confirm()
      return undefined
    }
    if (node.machine.forgotten(text(parts.subject)) !== null) return FORGOTTEN
    const key = files.find(parts.keyId)
    // What no key has sealed is not opened: bytes of a machine's own that look alike.
    if (key !== null) return openSealed(bytes, parts, key) ?? bytes
    const id = text(parts.keyId)
    if (peers.alone || this.isLost(id)) return FORGOTTEN
    void this.want(parts.keyId, id)
    return undefined
  }

  private async make(digest: Uint8Array, name: string): Promise<void> {
    if (this.making.has(name) || this.closed) return
    this.making.add(name)
    try {
      const { files } = this.parts
      let key: SubjectKey | undefined = files.ofSubject(name)[0]
      if (key === undefined) {
        key = drawKey(Uint8Array.from(digest))
        const drawn = key
        if ((await this.guarded(() => files.add([drawn]))) !== null) return
      }
      await this.exchange.offer(key)
    } finally {
      this.making.delete(name)
    }
    this.changed()
  }

  private async want(keyId: Uint8Array, id: string): Promise<void> {
    if (this.wanted.has(id) || this.closed) return
    this.wanted.add(id)
    const members = this.parts.peers.constellation
    const found = await this.exchange.want(Uint8Array.from(keyId))
    this.wanted.delete(id)
    if (found === 'lost') {
      if (this.lost.size >= LOST_MAX) this.lost.clear()
      this.lost.set(id, { at: this.parts.clock.monotonicMs(), members })
    }
    if (found !== 'unknown') this.changed()
  }

  private isLost(id: string): boolean {
    const known = this.lost.get(id)
    if (known === undefined) return false
    const { clock, peers } = this.parts
    if (clock.monotonicMs() - known.at < LOST_MS && known.members === peers.constellation) return true
    this.lost.delete(id)
    return false
  }

  /** A linearizable read: whatever was committed before this process asked is applied here. */
  private confirm(): void {
    if (this.confirming || this.closed) return
    this.confirming = true
    const over = (): void => {
      this.confirming = false
    }
    this.parts.node.read(
      {
        begun: () => undefined,
        ready: () => {
          over()
          this.confirmed = true
          this.changed()
        },
        readyInLimbo: () => ({ answered: 0, waiting: 1 }),
        failed: () => {
          over()
          if (!this.closed) this.parts.clock.setTimer(CONFIRM_MS / 10, () => this.confirm())
        },
      },
      CONFIRM_MS,
    )
  }

  private compareLater(): void {
    if (this.closed) return
    this.timer = this.parts.clock.setTimer(COMPARE_MS, () => {
      void this.exchange.compare().finally(() => this.compareLater())
    })
  }

  private changed(): void {
    for (const tell of [...this.waiters]) tell(true)
  }

  private digestOf(subject: string): Uint8Array {
    const known = this.digests.get(subject)
    if (known !== undefined) return known
    if (this.digests.size >= DIGESTS_MAX) this.digests.clear()
    const digest = subjectDigest(subject)
    this.digests.set(subject, digest)
    return digest
  }

  /** Null: it is done. Without room for another file there is no new key, and the node goes on. */
  private async guarded(run: () => Promise<void>): Promise<KeyFault | null> {
    try {
      await run()
      return null
    } catch (error) {
      if (!(error instanceof KeyFault)) throw error
      if (error.fault.code !== 'DISK_FULL') this.parts.onFault(error.fault)
      return error
    }
  }
}
