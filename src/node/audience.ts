import type { Term } from '../base/brand.ts'
import type { NodeEvent, NodeListener, RaftNode } from './api.ts'

/** Who listens to a node. Roles are told when role, leader, term or readiness to lead has changed, and only then. */
export class Audience {
  readonly listeners: NodeListener[] = []
  private told = ''

  tellRole(node: RaftNode, currentTerm: Term): void {
    const news = `${node.role} ${node.leader} ${currentTerm} ${node.leading}`
    if (news === this.told) return
    this.told = news
    const { role, leader, leading } = node
    // Clients wait for it; the log of the process does not.
    for (const listener of this.listeners) listener.roleChanged()
    for (const listener of this.listeners) {
      listener.noted?.({ kind: 'roleChanged', role, leader, term: currentTerm, leading })
    }
  }

  /** The leader is reached elsewhere than before: listeners go by its address alone. */
  leaderMoved(): void {
    for (const listener of this.listeners) listener.roleChanged()
  }

  /** A transfer of leadership has begun. */
  handingOver(): void {
    for (const listener of this.listeners) listener.handingOver?.()
  }

  note(event: NodeEvent): void {
    for (const listener of this.listeners) listener.noted?.(event)
  }

  stopped(fault: { readonly code: string; readonly message: string }): void {
    for (const listener of this.listeners) listener.stopped(fault)
  }
}
