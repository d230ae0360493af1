import type { Millis, NodeId } from '../../base/brand.ts'
import { isDialled } from '../peers/addresses.ts'
import type { PeerFrame } from '../ports/peer-transport.ts'

/** Nodes that wait at once, and how long after their last word, ms: they greet every 50 ms. */
const APPLICANTS_MAX = 16
const SILENT_MAX_MS = 5_000

/** A node with an empty disk that knows this cluster and is no member of it. */
export interface Applicant {
  readonly id: NodeId
  readonly instance: string
  /** host:port; '': it has not said. */
  readonly address: string
}

/**
 * Who waits to be made a member: nodes that greet without a Configuration, under an id that no member has or whose member
 * has another disk. What a person must not have to type stands in their frames: the id of the disk, and the address.
 */
export class Applicants {
  private readonly heard = new Map<NodeId, Applicant & { readonly at: Millis }>()

  /** A frame of a disk that is no member. */
  hear({ sender: id, senderInstance: instance, body }: PeerFrame, now: Millis): void {
    if (body.kind !== 'reachedAt' && (body.kind !== 'hello' || body.hasConfiguration)) return
    const before = this.heard.get(id)
    const known = before?.instance === instance ? before.address : ''
    const address = body.kind === 'reachedAt' && isDialled(body.address) ? body.address : known
    this.forgetSilent(now)
    if (before === undefined && this.heard.size >= APPLICANTS_MAX) return
    this.heard.set(id, { id, instance, address, at: now })
  }

  /** Those that were heard lately, by id. */
  current(now: Millis): readonly Applicant[] {
    this.forgetSilent(now)
    const applicants = [...this.heard.values()].map(({ id, instance, address }) => ({ id, instance, address }))
    return applicants.sort((left, right) => (left.id < right.id ? -1 : 1))
  }

  private forgetSilent(now: Millis): void {
    for (const [id, { at }] of this.heard) if (now - at > SILENT_MAX_MS) this.heard.delete(id)
  }
}
