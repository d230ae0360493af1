import type { Term } from '../base/brand.ts'
import type { NodeListener, RaftNode } from './api.ts'

/** Tells the listeners when the role, the leader, the term or the readiness to lead has changed, and only then. */
export class RoleNews {
  private told = ''

  tell(node: RaftNode, currentTerm: Term, listeners: readonly NodeListener[]): void {
    const news = `${node.role} ${node.leader} ${currentTerm} ${node.leading}`
    if (news === this.told) return
    this.told = news
    const { role, leader, leading } = node
    for (const listener of listeners) {
      listener.roleChanged()
      listener.noted?.({ kind: 'roleChanged', role, leader, term: currentTerm, leading })
    }
  }
}
