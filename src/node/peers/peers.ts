import { parseHostPort } from '../../base/host-port.ts'
import { logIndex, type LogIndex, type NodeId } from '../../base/brand.ts'
import type { ConfigurationPayload, MachineAdvance } from '../../codec/entry/payload.ts'
import { decodePayload } from '../../codec/entry/payload-codec.ts'
import { payloadAt, recordIndex, recordKind } from '../../codec/entry/record.ts'
import { forEachOffset } from '../../codec/entry/batch.ts'
import { firstVersions } from '../propose/machine-advances.ts'
import type { Agreed, Message } from '../../raft/types.ts'
import { Applicants } from '../membership/applicants.ts'
import { Addresses } from './addresses.ts'
import { Askers, isAnswer, isOfLeader, isRequest } from './askers.ts'
import { Bootstrap } from './bootstrap.ts'
import { Builds } from './builds.ts'
import { Callers } from './callers.ts'
import type { NodeEvent } from '../api.ts'
import type { Members } from '../membership/members.ts'
import type { DriverOptions } from '../options.ts'
import type { AppliedRecord } from '../ports/applied-trail.ts'
import type { PeerEnvelope } from '../ports/peer-envelope.ts'
import type { PeerBody, PeerFrame } from '../ports/peer-transport.ts'
import type { Stop } from '../skip/voter-stops.ts'
import type { ReceivedMessage } from './received-message.ts'

/** Bytes that may be queued to one peer: below the window at whose end the transport drops (32 MiB), with room for frames. */
const QUEUED_BYTES_MAX = 24 * 1024 * 1024

/** What members say besides Raft's messages, for the rest of the node. */
export interface PeerNews {
  /** That member is reached at another address than was known. */
  moved(member: NodeId): void
  /** What that member says that it made of the log; null: a process of it has introduced itself, perhaps another one. */
  applied(member: NodeId, sample: AppliedRecord | null): void
  /** Where that member says that the engine has stopped it; null: nowhere, or nobody knows of its process any more. */
  stopped(member: NodeId, stop: Stop | null): void
  /** A process of that member asks what this node is. */
  asked(member: NodeId): void
  note(event: NodeEvent): void
}

/**
 * Frames to and from the other nodes: puts on and checks the envelope (cluster, group, sender, recipient, instance ids;
 * raft.md §1) and runs the bootstrap handshake.
 */
export class Peers {
  readonly bootstrap: Bootstrap
  readonly addresses: Addresses
  readonly builds: Builds
  readonly applicants = new Applicants()
  private readonly askers = new Askers()
  private readonly callers = new Callers()
  private readonly news: PeerNews
  private readonly options: DriverOptions
  private readonly members: Members
  private readonly voters: readonly NodeId[]
  private bootstrapped = false
  private readonly ignored = new Set<NodeId>()
  /** Of the first leader's write, as the builds stood when the handshake was complete. */
  firstVersions: readonly MachineAdvance[] = []

  constructor(options: DriverOptions, members: Members, news: PeerNews) {
    this.options = options
    this.news = news
    this.addresses = new Addresses(options, members)
    this.members = members
    this.voters = options.initialVoters.map((voter) => voter.id).sort()
    this.bootstrap = new Bootstrap(options.identity, this.voters)
    this.builds = new Builds(options.identity.id, options.build, {
      connected: (peer) => options.transport.connected(peer),
      modeDiffers: (peer, development) => news.note({ kind: 'modeDiffers', peer, development }),
    })
    this.dialMembers()
  }

  /**
   * Sends a message with its records; false when so many bytes are queued to that peer that its records would exceed the
   * bound: the core counts old entries by an estimate, so its own window does not bound them.
   */
  transmit(to: NodeId, message: Message, records: Uint8Array): boolean {
    const queued = this.options.transport.queuedBytes(to)
    if (records.length > 0 && queued > 0 && queued + records.length > QUEUED_BYTES_MAX) return false
    this.raft(to, { kind: 'raft', message, records, wallMs: this.options.clock.wallMs() })
    return true
  }

  /**
   * Tells every initial voter this node's instance id and that it has no Configuration, and asks for the same; and tells those
   * that dial it, one of which may lead a cluster in which no initial voter is left.
   */
  sayHello(): void {
    for (const voter of this.voters) {
      if (voter !== this.options.identity.id) this.hello(voter, this.bootstrap.instanceOf(voter) ?? '', true)
    }
    for (const caller of this.callers.ids) this.hello(caller, '', false)
  }

  /** Where this node is reached from now on. */
  advertise(address: string): void {
    this.addresses.learn(this.options.identity.id, address)
    for (const voter of this.voters) {
      if (voter !== this.options.identity.id) this.sayAddress(voter)
    }
  }

  /**
   * A connection to the peer is open: tells it what this process is, of which it may have known another one, and asks for the
   * same.
   */
  introduce(to: NodeId): void {
    this.sayAddress(to)
    this.builds.linkOpened(to)
    this.news.stopped(to, null)
    this.sayBuild(to, true)
  }

  /**
   * Tells one member what this node made of the log, or all others (null), whatever disks are there: a learner too, whose word
   * does not count, so that one which differs halts before it is a voter.
   */
  tellApplied({ index, hash }: AppliedRecord, to: NodeId | null): void {
    const hashHigh = Number.parseInt(hash.slice(0, 8), 16)
    const hashLow = Number.parseInt(hash.slice(8), 16)
    const body: PeerBody = { kind: 'applied', index: logIndex(index), hashHigh, hashLow }
    const { newest } = this.members
    for (const { id } of [...(newest?.voters ?? []), ...(newest?.learners ?? [])]) {
      if (id !== this.options.identity.id && (to === null || to === id)) this.frame(id, '', body)
    }
  }

  /** Tells one member, or all others (null), where the engine has stopped this node; null: nowhere. */
  tellStopped(stop: Stop | null, to: NodeId | null): void {
    const body: PeerBody = { kind: 'stopped', index: logIndex(stop?.index ?? 0), part: stop?.part ?? '' }
    for (const { id } of this.members.newest?.voters ?? []) {
      if (id !== this.options.identity.id && (to === null || to === id)) this.frame(id, '', body)
    }
  }

  private sayBuild(to: NodeId, reply: boolean): void {
    this.frame(to, '', { kind: 'build', reply, ...this.options.build })
  }

  /** Tells a peer where this node is reached. */
  private sayAddress(to: NodeId): void {
    // To whatever disk is there: no frame is refused for an address.
    this.frame(to, '', { kind: 'reachedAt', address: this.addresses.own })
  }

  /**
   * Checks a frame and returns its Raft message with the sender's wall clock; null for a hello, which is remembered and
   * answered, for an address and a build, which are remembered, and for a frame of another cluster, group, recipient,
   * instance or mode, which is dropped.
   */
  receive(frame: PeerFrame): { readonly message: ReceivedMessage; readonly wallMs: number } | null {
    const { identity } = this.options
    const { sender, senderInstance, recipientInstance, body } = frame
    if (frame.clusterId !== identity.clusterId || frame.group !== identity.group) return null
    if (frame.recipient !== identity.id) return null
    if (recipientInstance !== '' && recipientInstance !== identity.instance) return null
    const known = this.members.member(sender)?.instanceId ?? this.bootstrap.agreedInstanceOf(sender)
    if (known !== senderInstance && this.members.newest !== null) {
      this.applicants.hear(frame, this.options.clock.monotonicMs())
    }
    const bound = known !== null || this.members.newest !== null
    if (known !== senderInstance && bound && body.kind === 'reachedAt') {
      this.askers.hearAddress(sender, { instance: senderInstance, address: body.address })
    }
    if (known !== null && known !== senderInstance && !this.isOfLaterConfiguration(frame)) return null
    if (body.kind !== 'build' && this.builds.isOfOtherMode(sender)) return null
    if (body.kind === 'hello') {
      this.receiveHello(frame, body)
      return null
    }
    if (body.kind === 'reachedAt') {
      this.receiveAddress(sender, body.address)
      return null
    }
    if (body.kind === 'build') {
      this.receiveBuild(sender, body)
      return null
    }
    if (body.kind === 'applied') {
      this.receiveApplied(sender, body)
      return null
    }
    if (body.kind === 'stopped') {
      const { index, part } = body
      this.news.stopped(sender, index === 0 ? null : { index, part })
      return null
    }
    if (recipientInstance === '') return null
    const { message, records, wallMs } = body
    if (!this.askers.hear(sender, senderInstance, message)) return null
    if (known !== senderInstance && this.isOfLaterConfiguration(frame)) this.dialAsker(frame)
    return { message: { kind: 'received', from: sender, message, records }, wallMs }
  }

  /**
   * A request of a disk that this node's Configuration does not name: its node was added, or its disk replaced, in an entry
   * that this log does not hold yet. It addresses this very disk, so a Configuration names that, and it is of this cluster's
   * history (`checkVote`): its leader is followed, and its candidate voted for, as those of any later configuration (thesis
   * §4.1). Without this a new disk whose first entries are older than the leader's, and a member that was away as the leader
   * was replaced, would never learn of it. An answer counts only from the disk that is named. Where one voter votes for two
   * disks of one id in one term, one of them at most is elected: the new one is a voter only once a majority of those before
   * holds the entry that made the old one none, and that majority refuses the old one for its log.
   *
   * A node without any Configuration, whose handshake has agreed on the disks of the others, may have been away while they were
   * replaced: it follows the leader on one that took such a disk's place, and votes for none (`isForLeader`).
   */
  private isOfLaterConfiguration({ senderInstance, recipientInstance, body }: PeerFrame): boolean {
    const { newest } = this.members
    if (body.kind !== 'raft' || recipientInstance === '') return false
    if (newest === null) return isOfLeader(body.message)
    return isRequest(body.message) && !newest.removed.some(({ instanceId }) => instanceId === senderInstance)
  }

  /** Answers to such a disk need a link to where it says that it is reached. */
  private dialAsker({ sender, senderInstance }: PeerFrame): void {
    const { transport } = this.options
    const address = this.askers.addressOf(sender, senderInstance)
    if (address === null || parseHostPort(address) === null) return
    transport.addPeer(sender, address)
    transport.hint(sender, address)
  }

  /**
   * The configuration for the first election, once: when the handshake is complete. Null while it is not, or when it was
   * given before. Without every voter's instance this node could not lead: it would have no Configuration to write. It
   * still follows a leader, and grants its vote to a candidate that has a log (`checkVote`).
   */
  bootstrapConfiguration(configured: boolean): Agreed | null {
    if (configured || this.bootstrapped || !this.bootstrap.agree()) return null
    this.bootstrapped = true
    const configuration = { voters: this.voters, learners: [], outgoing: [], promoting: [] }
    // A voter that says nothing of its build may be of one that cannot read the entry: then a leader's duty appends it, once
    // all have spoken (`MachineAdvances`).
    this.firstVersions = firstVersions(this.options.machine, this.builds.current(this.voters))
    return { configuration, advances: this.firstVersions.length > 0 }
  }

  /**
   * Only a hello to this very instance counts: one that the sender wrote before it knew this disk may be older than the
   * Configuration that it holds now. A sender that does not know this instance is told it, and asked to say it again.
   */
  private receiveHello(frame: PeerFrame, hello: Extract<PeerBody, { kind: 'hello' }>): void {
    const { sender, senderInstance: instance, recipientInstance } = frame
    const knowsThis = recipientInstance !== ''
    // Strangers, of whom there is no end, have no part in the handshake.
    if (this.addresses.concerns(sender)) {
      if (!this.bootstrap.hear(sender, instance)) {
        this.noteIgnored(sender)
        return
      }
      if (knowsThis) this.bootstrap.receive(sender, { instance, hasConfiguration: hello.hasConfiguration })
    }
    if (hello.reply) this.hello(sender, instance, !knowsThis)
  }

  /** Once of each voter: a disk that is ignored and alive greets for ever. */
  private noteIgnored(peer: NodeId): void {
    if (this.ignored.has(peer)) return
    this.ignored.add(peer)
    this.news.note({ kind: 'diskIgnored', peer })
  }

  /** The transport dials what it is told here: only what a member's very disk says, and what can be dialled. */
  private receiveAddress(sender: NodeId, address: string): void {
    if (this.members.newest === null && !this.addresses.concerns(sender)) return this.hearCaller(sender, address)
    const learnt = this.addresses.learn(sender, address)
    if (learnt === 'ignored') return
    this.options.transport.hint(sender, address)
    if (learnt === 'moved') this.news.moved(sender)
  }

  /** Somebody dials this empty disk that it was not started with: a member of the cluster in which its id had another disk. */
  private hearCaller(sender: NodeId, address: string): void {
    const { transport } = this.options
    if (!this.callers.hear(sender, address)) return
    transport.addPeer(sender, address)
    transport.hint(sender, address)
  }

  private receiveBuild(sender: NodeId, said: Extract<PeerBody, { kind: 'build' }>): void {
    // Of strangers there is no end.
    if (!this.addresses.concerns(sender)) return
    const { machines, runtime, holdfast, development, reply } = said
    this.builds.heard(sender, { machines, runtime, holdfast, development })
    // An answer is of a process whose own link is open, and it has introduced itself there.
    if (!reply) return
    this.sayBuild(sender, false)
    this.news.applied(sender, null)
    this.news.stopped(sender, null)
    this.news.asked(sender)
  }

  private receiveApplied(sender: NodeId, { index, hashHigh, hashLow }: Extract<PeerBody, { kind: 'applied' }>): void {
    // Of whoever is no voter, `StateComparison` takes nothing.
    this.news.applied(sender, { index, hash: hex(hashHigh) + hex(hashLow) })
  }

  /** A member asks for a part of this node's snapshot: of this cluster, to this disk, from the disk that is known of it. */
  admits(envelope: PeerEnvelope): boolean {
    const { identity } = this.options
    const { clusterId, group, sender, recipient, senderInstance, recipientInstance } = envelope
    const known = this.members.member(sender)?.instanceId ?? this.bootstrap.agreedInstanceOf(sender)
    return (
      clusterId === identity.clusterId &&
      group === identity.group &&
      recipient === identity.id &&
      recipientInstance === identity.instance &&
      known === senderInstance
    )
  }

  /** The instance that a request to a member is addressed to; null: none is known. */
  envelopeTo(to: NodeId): Pick<PeerEnvelope, 'recipientInstance'> | null {
    const instance = this.askers.instanceOf(to) ?? this.instanceOf(to)
    return instance === null ? null : { recipientInstance: instance }
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
    this.members.add({ index: logIndex(index), payload: decoded, bytes: Uint8Array.from(payload) })
    this.dialMembers()
  }

  /** Whoever is a member is dialled, by the address in the Configuration where this process was started with none. */
  private dialMembers(): void {
    const { identity, transport } = this.options
    const { newest } = this.members
    if (newest === null) return
    for (const { id, address } of [...newest.voters, ...newest.learners]) {
      if (id !== identity.id) transport.addPeer(id, address)
    }
  }

  private hello(to: NodeId, recipientInstance: string, reply: boolean): void {
    const hasConfiguration = this.members.newest !== null
    this.frame(to, recipientInstance, { kind: 'hello', hasConfiguration, reply })
  }

  /**
   * A node with a Configuration knows its members by nothing else: a vote request with a log therefore proves to the node
   * that it reaches that a Configuration names its very disk (`checkVote`). A Raft message to a node whose instance is not
   * known would be refused there.
   */
  private raft(to: NodeId, body: Extract<PeerBody, { kind: 'raft' }>): void {
    const { message } = body
    const asked = this.members.newest === null ? this.isForLeader(to, message) : isAnswer(message)
    const instance = asked ? this.askers.instanceFor(to, message) : this.instanceOf(to)
    if (instance !== null) this.frame(to, instance, body)
  }

  /**
   * Before there is a Configuration strangers are not answered, but for the leader that dialled this empty disk, or is on a
   * disk in the place of an initial voter's: it addresses this very disk, so its Configuration names that. Nobody else's
   * candidate has a vote from here: with one, nodes that were started with other initial voters could hold an election
   * beside the one of these.
   */
  private isForLeader(to: NodeId, { kind }: Message): boolean {
    if (kind !== 'appendEntriesResponse' && kind !== 'installSnapshotResponse') return false
    return this.callers.has(to) || this.voters.includes(to)
  }

  private instanceOf(to: NodeId): string | null {
    const { newest } = this.members
    const instance = newest === null ? this.bootstrap.instanceOf(to) : this.members.member(to)?.instanceId
    return instance ?? null
  }

  private frame(to: NodeId, recipientInstance: string, body: PeerBody): void {
    const { identity, transport } = this.options
    transport.send({
      clusterId: identity.clusterId,
      group: identity.group,
      sender: identity.id,
      recipient: to,
      senderInstance: identity.instance,
      recipientInstance,
      body,
    })
  }
}

/** Half of a hash, 8 hex digits. */
function hex(half: number): string {
  return half.toString(16).padStart(8, '0')
}
