import { logIndex, type LogIndex, type NodeId } from '../../base/brand.ts'
import type { ConfigurationPayload } from '../../codec/entry/payload.ts'
import { decodePayload } from '../../codec/entry/payload-codec.ts'
import { payloadAt, recordIndex, recordKind } from '../../codec/entry/record.ts'
import { forEachOffset } from '../../codec/entry/batch.ts'
import type { Configuration, Message } from '../../raft/types.ts'
import { Bootstrap } from '../bootstrap.ts'
import type { Members } from '../members.ts'
import type { DriverOptions } from '../options.ts'
import type { PeerBody, PeerFrame } from '../ports/peer-transport.ts'
import type { ReceivedMessage } from './received-message.ts'

/** Bytes that may be queued to one peer: below the window at whose end the transport drops (32 MiB), with room for frames. */
const QUEUED_BYTES_MAX = 24 * 1024 * 1024

/**
 * Frames to and from the other nodes: puts on and checks the envelope (cluster, group, sender, recipient, instance ids;
 * raft.md §1) and runs the bootstrap handshake.
 */
export class Peers {
  readonly bootstrap: Bootstrap
  private readonly options: DriverOptions
  private readonly members: Members
  private readonly voters: readonly NodeId[]
  /** A peer that holds a Configuration with this very instance asked for its vote. */
  private named = false
  private bootstrapped = false

  constructor(options: DriverOptions, members: Members) {
    this.options = options
    this.members = members
    this.voters = options.initialVoters.map((voter) => voter.id).sort()
    this.bootstrap = new Bootstrap(options.identity, this.voters)
  }

  /**
   * Sends a message with its records; false when so many bytes are queued to that peer that its records would exceed the
   * bound: the core counts old entries by an estimate, so its own window does not bound them.
   */
  transmit(to: NodeId, message: Message, records: Uint8Array): boolean {
    const queued = this.options.transport.queuedBytes(to)
    if (records.length > 0 && queued > 0 && queued + records.length > QUEUED_BYTES_MAX) return false
    this.frame(to, { kind: 'raft', message, records, wallMs: this.options.clock.wallMs() })
    return true
  }

  /** Tells every initial voter this node's instance id and that it has no Configuration. */
  sayHello(): void {
    for (const voter of this.voters) {
      if (voter !== this.options.identity.id) this.hello(voter, true)
    }
  }

  /**
   * Checks a frame and returns its Raft message with the sender's wall clock; null for a hello, which is remembered and
   * answered, and for a frame of another cluster, group, recipient or instance, which is dropped.
   */
  receive(frame: PeerFrame): { readonly message: ReceivedMessage; readonly wallMs: number } | null {
    const { identity } = this.options
    if (frame.clusterId !== identity.clusterId || frame.group !== identity.group) return null
    if (frame.recipient !== identity.id) return null
    if (frame.recipientInstance !== '' && frame.recipientInstance !== identity.instance) return null
    const known = this.members.member(frame.sender)?.instanceId
    if (known !== undefined && known !== frame.senderInstance) return null
    if (frame.body.kind === 'hello') {
      this.bootstrap.receive(frame.sender, {
        instance: frame.senderInstance,
        hasConfiguration: frame.body.hasConfiguration,
      })
      if (frame.body.reply) this.hello(frame.sender, false)
      return null
    }
    if (frame.recipientInstance === '') return null
    const { message, records, wallMs } = frame.body
    if (this.namesFromConfiguration(frame.sender, message)) this.named = true
    return { message: { kind: 'received', from: frame.sender, message, records }, wallMs }
  }

  /**
   * The configuration for the first election, once: when the handshake is complete, or when a peer asked for this very
   * instance's vote out of its Configuration. Null while neither is so, or when it was given before. Without every
   * voter's instance this node could not lead: it would have no Configuration to write. It still follows a leader.
   */
  bootstrapConfiguration(configured: boolean): Configuration | null {
    if (configured || this.bootstrapped) return null
    if (!this.bootstrap.complete() && !(this.named && this.bootstrap.knowsAll())) return null
    this.bootstrapped = true
    return { voters: this.voters, learners: [] }
  }

  /**
   * A vote request takes this node's instance from the sender's Configuration only where the sender holds one. One that
   * has merely completed the handshake knows it from a hello, also of a disk that has been replaced since: two nodes
   * without a Configuration would then elect each other beside a third one that holds it. (A leader's AppendEntries need
   * no such proof: they bring the Configuration.)
   */
  private namesFromConfiguration(sender: NodeId, message: Message): boolean {
    const asksForVote = message.kind === 'requestVote' || message.kind === 'preVoteRequest'
    return asksForVote && this.bootstrap.hasConfiguration(sender)
  }

  /** Remembers the Configurations among records that go to the log. */
  learnConfigurations(records: Uint8Array): void {
    if (records.length === 0) return
    forEachOffset(records, (offset) => {
      if (recordKind(records, offset) === 'Configuration')
        this.learn(recordIndex(records, offset), payloadAt(records, offset))
    })
  }

  private learn(index: LogIndex, payload: Uint8Array): void {
    const decoded: ConfigurationPayload = decodePayload('Configuration', payload)
    this.members.add(logIndex(index), decoded, Uint8Array.from(payload))
  }

  private hello(to: NodeId, reply: boolean): void {
    this.frame(to, { kind: 'hello', hasConfiguration: this.members.newest !== null, reply })
  }

  private frame(to: NodeId, body: PeerBody): void {
    const { identity, transport } = this.options
    const instance = this.members.member(to)?.instanceId ?? this.bootstrap.instanceOf(to) ?? ''
    // A Raft message to a node whose instance is not known yet would be refused there.
    if (body.kind === 'raft' && instance === '') return
    transport.send({
      clusterId: identity.clusterId,
      group: identity.group,
      sender: identity.id,
      recipient: to,
      senderInstance: identity.instance,
      recipientInstance: instance,
      body,
    })
  }
}
