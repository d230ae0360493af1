import type { Applied } from '../session/state-machine.ts'
import { requestHash, type RunningHash } from '../codec/value/running-hash.ts'
import type { RequestMessage } from '../protocol/up-frame.ts'
import type { NodeListener, RaftNode } from '../node/api.ts'
import type { GreetingMessage } from '../protocol/down-message.ts'
import { SERVER_REQUEST_CREDIT } from '../protocol/limits.ts'
import { GatewayAcks } from './gateway-acks.ts'
import type { Attachment } from './attachment.ts'
import type { ConnectionSink } from './connection-sink.ts'
import { hintingSink } from './hinting-sink.ts'
import { OpeningSink } from './personal/opening-sink.ts'
import { type ConnectionHost, GatewayConnection } from './gateway-connection.ts'
import type { CommandParser, GatewayOptions } from './gateway-options.ts'
import { Subscriptions } from './queries/subscriptions.ts'

const NO_BYTES = new Uint8Array(0)

/** An attached session with the connection that holds it. */
interface Held {
  readonly attachment: Attachment
  readonly connection: GatewayConnection
  ready: Ready
}

/**
 * What a session gets at the end of the apply run: nothing; `new`, server requests that were not sent yet; `retried`, also
 * those of which the log counts another attempt.
 */
type Ready = 'no' | 'new' | 'retried'

/**
 * Between connections and the node: what a client may ask, checked and proposed; what apply answers and emits, told to the
 * connection it belongs to (wire.md §3, sessions.md §3–§7). Knows no bytes of frames. One per node.
 */
export class SessionGateway implements NodeListener, ConnectionHost {
  readonly node: RaftNode
  readonly options: GatewayOptions
  readonly acks: GatewayAcks
  readonly subscriptions: Subscriptions
  readonly credit: number
  private readonly connections = new Set<GatewayConnection>()
  /** Attached sessions by index. */
  private readonly attachments = new Map<number, Held>()
  /** Those that are ready, in that order; one that was detached since says `no`. PERF: a list, and no second look-up. */
  private readonly ready: Held[] = []
  private readonly changedAttachments = new Set<Attachment>()
  private readonly versions = new Map<string, number>()
  private versionGeneration = 1
  private wasLeading: boolean
  private announced = ''

  constructor(node: RaftNode, options: GatewayOptions) {
    this.node = node
    this.options = options
    this.credit = options.credit ?? SERVER_REQUEST_CREDIT
    this.acks = new GatewayAcks(this)
    this.subscriptions = new Subscriptions(node, options)
    this.wasLeading = node.leading
    this.announced = this.leaderText()
    node.listen(this)
  }

  connect(sink: ConnectionSink): GatewayConnection {
    const { errorAt } = this.options
    const { personal } = this.options
    const opens = personal !== undefined && personal.holdsPersonal !== null
    const opening = opens ? new OpeningSink(sink, personal.keys, () => connection.drained()) : sink
    const told = errorAt === undefined ? opening : hintingSink(opening, this.node.id, errorAt)
    const connection = new GatewayConnection(this, told)
    this.connections.add(connection)
    return connection
  }

  get connectionCount(): number {
    return this.connections.size
  }

  get attachedCount(): number {
    return this.attachments.size
  }

  /** What a new connection is told first. */
  greeting(): GreetingMessage {
    const { node } = this
    const { leader } = node
    return {
      kind: 'greeting',
      clusterId: node.clusterId,
      group: node.group,
      incarnation: node.incarnation,
      node: node.id,
      leader: leader ?? '',
      leaderAddress: leader === null ? '' : (node.addressOf(leader) ?? ''),
      now: node.logNow(),
      commandBytesMax: node.machine.limits.commandBytesMax,
      windowRequests: node.machine.limits.windowRequests,
      credit: this.credit,
    }
  }

  // NodeListener

  applied(applied: Applied): void {
    // A reply of no client's: timers, retries and expiries, which alone send requests again that were sent before.
    const retried = applied.reply.kind === 'none'
    for (const session of applied.deliver) {
      const held = this.attachments.get(session)
      if (held !== undefined) this.markReady(held, retried)
    }
    for (const { session, reason } of applied.ended) {
      const held = this.attachments.get(session)
      if (held === undefined || held.attachment.closing) continue
      this.detach(held.connection, held.attachment)
      held.attachment.sink.ended(held.attachment.channel, reason)
    }
    if (this.subscriptions.size > 0) this.subscriptions.applied()
  }

  batchApplied(): void {
    if (this.subscriptions.size > 0) this.subscriptions.batchApplied()
    if (this.changedAttachments.size > 0) this.reparse()
    if (this.node.leading !== this.wasLeading) this.leadingChanged()
    if (this.ready.length > 0) this.flushReady()
  }

  roleChanged(): void {
    if (this.node.leading !== this.wasLeading) this.leadingChanged()
    const text = this.leaderText()
    if (text === this.announced) return
    this.announced = text
    this.tellLeader()
  }

  /** The leader names itself once more: clients look for the next one while this one still answers (wire.md §3, step 6). */
  handingOver(): void {
    this.tellLeader()
  }

  stopped(fault: { code: string; message: string }): void {
    for (const connection of [...this.connections]) {
      connection.sink.failed(fault.code, fault.message)
      connection.end()
    }
  }

  // ConnectionHost

  /**
   * By the version that is active in the applied state. A leader that has not applied the log that it took over may know an old
   * one: what does not fit that is proposed by its newest, and apply has the last word (VERSION_CHANGED).
   */
  parse(machine: string, command: string, bytes: Uint8Array): ReturnType<CommandParser> {
    const { node, options } = this
    const parsed = options.parse(machine, command, bytes, node.machine.activeVersion(machine))
    return parsed.ok || node.leading ? parsed : options.parse(machine, command, bytes)
  }

  /** A hash that is in the log must tell nothing of a personal field: of those commands it is of their names alone. */
  hashOf({ machine, command, input }: RequestMessage): RunningHash {
    const blind = this.options.personal?.holdsPersonal?.(machine, command) === true
    return requestHash(machine, command, blind ? NO_BYTES : input)
  }

  whenKeysChange(done: (changed: boolean) => void): () => void {
    return this.options.personal?.keys.whenKeysChange(done) ?? (() => undefined)
  }

  generation(machine: string, version: number): number {
    if (this.versions.get(machine) !== version) {
      if (this.versions.has(machine)) this.versionGeneration += 1
      this.versions.set(machine, version)
    }
    return this.versionGeneration
  }

  reparseLater(attachment: Attachment): void {
    this.changedAttachments.add(attachment)
  }

  acknowledged(session: number): void {
    const held = this.attachments.get(session)
    const facts = this.node.machine.sessionFacts(session)
    if (held === undefined || facts === null) return
    held.attachment.delivery.acknowledge(facts.acknowledged)
    this.markReady(held, false)
  }

  fenced(attachment: Attachment): void {
    const held = this.attachments.get(attachment.session.index)
    if (held?.attachment === attachment) this.supersede(held)
  }

  /** A session belongs to this connection from now on; everything above its last ack goes out after this run. */
  attached(connection: GatewayConnection, attachment: Attachment): void {
    const { index } = attachment.session
    const before = this.attachments.get(index)
    if (before !== undefined) {
      if (before.attachment.epoch === attachment.epoch) attachment.adopt(before.attachment)
      before.ready = 'no'
      const again = before.connection === connection && before.attachment.channel === attachment.channel
      if (again) connection.remove(before.attachment)
      else this.supersede(before)
    }
    connection.put(attachment)
    const held: Held = { attachment, connection, ready: 'no' }
    this.attachments.set(index, held)
    this.node.attachedSessions.add(index)
    this.markReady(held, false)
  }

  detach(connection: GatewayConnection, attachment: Attachment): void {
    connection.remove(attachment)
    const { index } = attachment.session
    const held = this.attachments.get(index)
    if (held?.attachment !== attachment) return
    held.ready = 'no'
    this.attachments.delete(index)
    this.node.attachedSessions.delete(index)
  }

  disconnected(connection: GatewayConnection): void {
    this.connections.delete(connection)
  }

  private tellLeader(): void {
    const { leader, leaderAddress } = this.greeting()
    for (const connection of this.connections) connection.sink.leaderChanged(leader, leaderAddress)
  }

  private supersede(held: Held): void {
    this.detach(held.connection, held.attachment)
    held.attachment.sink.superseded(held.attachment.channel)
  }

  private reparse(): void {
    const attachments = [...this.changedAttachments]
    this.changedAttachments.clear()
    for (const attachment of attachments) attachment.reparse()
  }

  private leadingChanged(): void {
    this.wasLeading = this.node.leading
    if (!this.wasLeading) return
    // Sessions attached here may have been attached elsewhere while another node led.
    for (const [index, held] of [...this.attachments]) {
      const facts = this.node.machine.sessionFacts(index)
      if (facts === null) {
        this.detach(held.connection, held.attachment)
        held.attachment.sink.ended(held.attachment.channel, 'expired')
      } else if (facts.epoch !== held.attachment.epoch) {
        this.supersede(held)
      } else {
        held.attachment.delivery.reset(facts.acknowledged)
        this.markReady(held, false)
      }
    }
    this.flushReady()
  }

  private markReady(held: Held, retried: boolean): void {
    if (held.ready === 'no') this.ready.push(held)
    if (retried) held.ready = 'retried'
    else if (held.ready === 'no') held.ready = 'new'
  }

  private flushReady(): void {
    for (const held of this.ready) {
      const { ready } = held
      if (ready === 'no') continue
      held.ready = 'no'
      held.attachment.deliver(ready === 'retried')
    }
    this.ready.length = 0
  }

  private leaderText(): string {
    const { leader } = this.node
    return leader === null ? '' : `${leader} ${this.node.addressOf(leader) ?? ''}`
  }
}
