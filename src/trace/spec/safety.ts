import type { StepLine } from '../line.ts'
import type { SpecLog } from './log.ts'
import { allow } from './not-allowed.ts'
import type { SpecServer } from './server.ts'

interface Office {
  readonly node: string
  readonly log: SpecLog
}

/** What holds of all servers together, whatever the order of what they did (paper Figure 3). */
export class Safety {
  /** The one leader of each term, and its log when it took office. */
  private readonly offices = new Map<number, Office>()
  /** The term of each committed entry. */
  private readonly committed = new Map<number, number>()
  /** Up to where the leader of each term has committed. */
  private readonly byLeader = new Map<number, number>()

  /** The server's state after a step. */
  note(server: SpecServer, { state }: StepLine, committedBefore: number): void {
    if (state.role === 'leader' && !this.offices.has(state.term)) this.takeOffice(server, state.term)
    if (state.role === 'leader') {
      const node = this.offices.get(state.term)?.node
      const seen = (): string => `${node ?? ''} and ${server.name} in term ${state.term}`
      allow(node === server.name, 'Election Safety: one leader in a term (paper Figure 3)', seen)
    }
    for (let index = Math.max(committedBefore, server.log.base) + 1; index <= state.commit; index += 1) {
      this.commit(server, index)
    }
    if (state.role === 'leader' && state.commit > committedBefore)
      this.commitByLeader(server, state.term, committedBefore)
    const { base, baseTerm } = server.log
    const covered = this.committed.get(base) ?? baseTerm
    const wrong = (): string => `${base}@${baseTerm} at ${server.name}, ${base}@${covered} elsewhere`
    allow(covered === baseTerm, 'a snapshot is of committed entries (paper §7)', wrong)
  }

  get elections(): number {
    return this.offices.size
  }

  get entries(): number {
    return this.committed.size
  }

  private commit(server: SpecServer, index: number): void {
    const term = server.log.termAt(index) ?? 0
    const known = this.committed.get(index) ?? term
    const seen = (): string => `${index}@${term} at ${server.name}, ${index}@${known} elsewhere`
    allow(known === term, 'State Machine Safety: one entry is committed at an index (paper Figure 3)', seen)
    this.committed.set(index, term)
  }

  /** Later leaders that are known already hold what is new. */
  private commitByLeader(server: SpecServer, term: number, before: number): void {
    this.byLeader.set(term, server.commit)
    for (const [later, office] of this.offices) {
      if (later > term) this.checkComplete(later, office, { first: before + 1, last: server.commit })
    }
  }

  private takeOffice(server: SpecServer, term: number): void {
    const office = { node: server.name, log: server.log.copy() }
    this.offices.set(term, office)
    const earlier = [...this.byLeader].filter(([before]) => before < term).map(([, index]) => index)
    this.checkComplete(term, office, { first: 1, last: Math.max(0, ...earlier) })
  }

  private checkComplete(
    term: number,
    { node, log }: Office,
    range: { readonly first: number; readonly last: number },
  ): void {
    for (let index = Math.max(log.base + 1, range.first); index <= range.last; index += 1) {
      const held = log.termAt(index)
      const seen = (): string =>
        `${node} leads term ${term} with ${index}@${held ?? 'nothing'}, committed was @${this.committed.get(index) ?? '?'}`
      const right = held !== null && held === (this.committed.get(index) ?? held)
      allow(right, 'Leader Completeness: a later leader holds what is committed (paper Figure 3)', seen)
    }
  }
}
