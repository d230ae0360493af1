import type { ConnectionSink } from '../../gateway/connection-sink.ts'
import type { GatewayConnection } from '../../gateway/gateway-connection.ts'
import type { SessionGateway } from '../../gateway/session-gateway.ts'
import type { Driver } from '../../node/driver.ts'
import type { ServerRequest } from '../../session/user-machine.ts'
import { Violation } from './violation.ts'

/** What a node has sent to one attached session since the attach, or since it began to lead again. */
interface Sent {
  readonly session: number
  readonly term: number
  /** Attempt of each id sent and not acknowledged here. */
  readonly attempts: Map<number, number>
  /** Highest id sent; before the first one the last ack. */
  last: number
  /** Highest ack that came by this connection. */
  acknowledged: number
}

/**
 * A gateway whose every server request is looked at as it leaves, beside the gateway's own account of it (sessions.md §5):
 * in order and without a gap, nothing at or below an ack that was applied or that came by the same connection, nothing
 * twice unless the log counts another attempt of it.
 */
export function witnessDeliveries(
  driver: Driver,
  gateway: SessionGateway,
): Pick<SessionGateway, 'connect' | 'greeting'> {
  return {
    greeting: () => gateway.greeting(),
    connect: (sink) => {
      const witness = new DeliveryWitness(driver)
      tapSink(sink, witness)
      const connection = gateway.connect(sink)
      tapConnection(connection, witness)
      return connection
    },
  }
}

class DeliveryWitness {
  private readonly driver: Driver
  /** Session that an attach on this channel asked for. */
  private readonly asked = new Map<number, number>()
  private readonly channels = new Map<number, Sent>()

  constructor(driver: Driver) {
    this.driver = driver
  }

  attaching(channel: number, session: number): void {
    this.asked.set(channel, session)
  }

  attached(channel: number): void {
    const session = this.asked.get(channel)
    if (session !== undefined) this.channels.set(channel, this.nothingSent(session))
  }

  acknowledging(channel: number, upTo: number): void {
    const sent = this.channels.get(channel)
    if (sent === undefined || sent.term !== this.term || upTo > sent.last) return
    sent.acknowledged = Math.max(sent.acknowledged, upTo)
    for (const id of sent.attempts.keys()) if (id <= upTo) sent.attempts.delete(id)
  }

  sending(channel: number, request: ServerRequest): void {
    const { serverRequestId: id, previousId, attempt } = request
    const sent = this.sentOf(channel)
    const facts = { node: this.driver.id, session: sent.session, id }
    const applied = this.appliedAck(sent.session)
    if (id <= applied)
      throw new Violation('a server request is never sent after its ack was applied', { ...facts, applied })
    if (id <= sent.acknowledged) {
      throw new Violation('a server request is never sent after its ack came', { ...facts, came: sent.acknowledged })
    }
    const before = sent.attempts.get(id)
    if (before === attempt) throw new Violation('each attempt of a server request is sent once', { ...facts, attempt })
    if (before === undefined) {
      if (id <= sent.last) throw new Violation('server requests leave in order', { ...facts, last: sent.last })
      if (previousId > Math.max(sent.last, applied)) {
        throw new Violation('server requests leave without a gap', { ...facts, previousId, last: sent.last })
      }
      sent.last = id
    }
    sent.attempts.set(id, attempt)
  }

  private get term(): number {
    return this.driver.raftState.currentTerm
  }

  /** A node that leads anew sends everything above the last ack again. */
  private sentOf(channel: number): Sent {
    const sent = this.channels.get(channel)
    if (sent === undefined) throw new Violation('server requests go to attached sessions', { channel })
    if (sent.term === this.term) return sent
    const anew = this.nothingSent(sent.session)
    this.channels.set(channel, anew)
    return anew
  }

  private nothingSent(session: number): Sent {
    return { session, term: this.term, attempts: new Map(), last: this.appliedAck(session), acknowledged: 0 }
  }

  private appliedAck(session: number): number {
    return this.driver.machine.sessionFacts(session)?.acknowledged ?? 0
  }
}

/** Both are objects with private state: their methods are replaced in place, not wrapped. */
function tapSink(sink: ConnectionSink, witness: DeliveryWitness): void {
  const { attached, serverRequest } = sink
  sink.attached = (channel, reply) => {
    witness.attached(channel)
    attached.call(sink, channel, reply)
  }
  sink.serverRequest = (channel, request) => {
    witness.sending(channel, request)
    serverRequest.call(sink, channel, request)
  }
}

function tapConnection(connection: GatewayConnection, witness: DeliveryWitness): void {
  const { receiveAttach, receiveAck } = connection
  connection.receiveAttach = (request) => {
    witness.attaching(request.channel, request.index)
    receiveAttach.call(connection, request)
  }
  connection.receiveAck = (channel, upTo) => {
    witness.acknowledging(channel, upTo)
    receiveAck.call(connection, channel, upTo)
  }
}
