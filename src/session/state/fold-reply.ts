import { unreachable } from '../../base/assert.ts'
import type { ReplicatedState } from './replicated-state.ts'
import type { Reply } from '../state-machine.ts'

/**
 * Folds what an entry answered (sessions.md §3, step 14). The index, the kind, the write set and an executed outcome are
 * folded where they arise; a replayed one is folded by the entry it came from.
 */
export function foldReply({ codec, hash }: ReplicatedState, reply: Reply): void {
  switch (reply.kind) {
    case 'none':
      return
    case 'outcome':
      if (reply.replayed) codec.foldNumber(hash, reply.index)
      if (reply.invalidAck) codec.foldNumber(hash, -1)
      return
    case 'refused':
      codec.foldString(hash, reply.code)
      codec.walkRow(reply.details, hash)
      return
    case 'opened':
      codec.foldString(hash, reply.sessionId)
      return
    case 'attached':
      codec.foldNumber(hash, reply.epoch)
      codec.foldNumber(hash, reply.nextRequestId)
      return
    case 'acknowledged':
      codec.foldNumber(hash, reply.upTo)
      return
    case 'closed':
      return
    case 'keptAlive':
      for (const alive of reply.alive) codec.foldNumber(hash, alive ? 1 : 0)
      return
    default:
      unreachable(reply)
  }
}
