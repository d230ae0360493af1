import type { NodeId } from '../../base/brand.ts'
import { submitRefusal } from '../../gateway/refusal.ts'
import type { ProposalSink, RaftNode, SubmitRefusal } from '../../node/api.ts'
import type { Reply } from '../../session/state-machine.ts'
import type { OperatorReply } from './operator-reply.ts'

/** Waits for the entry that an operator's call has proposed. */
export class OperatorProposal implements ProposalSink {
  private readonly node: RaftNode
  private readonly reply: OperatorReply
  private readonly applied: (reply: Reply, index: number) => void

  /** `applied` is told what applying the entry answered; the operator is told of everything else. */
  constructor(node: RaftNode, reply: OperatorReply, applied: (reply: Reply, index: number) => void) {
    this.node = node
    this.reply = reply
    this.applied = applied
  }

  settled(reply: Reply, index: number): void {
    this.applied(reply, index)
  }

  refused(code: SubmitRefusal, _leader: NodeId | null): void {
    const refusal = submitRefusal(this.node, code)
    this.reply.refuse(refusal.code, refusal.details)
  }

  lost(): void {
    this.reply.refuse('OUTCOME_UNKNOWN')
  }
}
