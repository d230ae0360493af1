import { encodePayload } from '../codec/entry/payload-codec.ts'
import type { Reply } from '../session/state-machine.ts'
import type { RaftNode } from '../node/api.ts'
import type { Attachment, AttachmentHost } from './attachment.ts'
import { haltedRefusal, notLeader, refusal, submitRefusal } from './refusal.ts'

/**
 * Acknowledgements that do not ride on a command. At most one entry per attachment is in flight; what comes meanwhile is
 * covered by the next one, because acks are cumulative (wire.md §5, step 3).
 */
export class GatewayAcks {
  private readonly host: Pick<AttachmentHost, 'node' | 'acknowledged'>
  private readonly node: RaftNode
  /** Highest id asked for while an entry is in flight; 0: nothing further. */
  private readonly inFlight = new Map<Attachment, number>()

  constructor(host: Pick<AttachmentHost, 'node' | 'acknowledged'>) {
    this.host = host
    this.node = host.node
  }

  receiveAck(attachment: Attachment, upTo: number): void {
    const { delivery, channel, sink } = attachment
    const halted = haltedRefusal(this.node)
    if (halted !== null) return sink.refused(channel, 'ack', halted)
    // At or below the known one: no log entry (sessions.md §5).
    if (upTo <= delivery.acknowledged) return sink.acknowledged(channel, delivery.acknowledged)
    // Only the rows of a node that leads are new enough to say which ids were never given.
    if (!this.node.leading) return sink.refused(channel, 'ack', notLeader(this.node))
    const facts = this.node.machine.sessionFacts(attachment.session.index)
    if (facts !== null && upTo > facts.lastServerRequestId) {
      return sink.refused(channel, 'ack', refusal('INVALID_ACK', { last: facts.lastServerRequestId }))
    }
    delivery.release(upTo)
    attachment.deliver(false)
    const wanted = this.inFlight.get(attachment)
    if (wanted !== undefined) {
      this.inFlight.set(attachment, Math.max(wanted, upTo))
      return
    }
    this.propose(attachment, upTo)
  }

  private propose(attachment: Attachment, upTo: number): void {
    const { session, epoch, channel, sink } = attachment
    this.inFlight.set(attachment, 0)
    this.node.submit(
      'ServerRequestAck',
      encodePayload('ServerRequestAck', { ...session, epoch, serverRequestId: upTo }),
      {
        settled: (reply) => this.settled(attachment, reply),
        refused: (code) => {
          this.inFlight.delete(attachment)
          sink.refused(channel, 'ack', submitRefusal(this.node, code))
        },
        // The client acknowledges again after it has attached elsewhere: acks are idempotent.
        lost: () => {
          this.inFlight.delete(attachment)
          sink.refused(channel, 'ack', notLeader(this.node))
        },
      },
    )
  }

  private settled(attachment: Attachment, reply: Reply): void {
    const { delivery, channel, sink } = attachment
    const wanted = this.inFlight.get(attachment) ?? 0
    this.inFlight.delete(attachment)
    if (reply.kind === 'refused') return sink.refused(channel, 'ack', { code: reply.code, details: reply.details })
    if (reply.kind !== 'acknowledged') return
    delivery.acknowledge(reply.upTo)
    // The ack may have come by a call of its own, and the session be held by another connection.
    this.host.acknowledged(attachment.session.index)
    sink.acknowledged(channel, delivery.acknowledged)
    if (wanted > delivery.acknowledged) this.propose(attachment, wanted)
  }
}
