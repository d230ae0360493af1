import { explainError } from '../protocol/errors.ts'

/** Different refusals that one process tells of; what repeats for ever under new words stays silent beyond it. */
const REFUSALS_MAX = 64
/** Several of the dials of a peer that refuses. */
const RECENT_MS = 5_000

/** A change of a connection between nodes, as the peer transport notes it: `event` is a code, or `refused` by `peer`. */
export interface PeerNote {
  readonly peer: string | null
  readonly event: string
  readonly message: string
}

/** A refusal between this node and a peer, as people are told of it. */
export interface ToldRefusal {
  /** Null: a peer that did not say who it is, or is not one of ours. */
  readonly peer: string | null
  /** Code of the error registry (scope `peer`), or `` when the peer's answer has none. */
  readonly code: string
  /** What happened, and what to do. */
  readonly sentence: string
}

/**
 * Tells that this node and a peer refuse each other's frames: a wiped directory, another cluster, a wrong address. Both ends
 * dial again every second, so each refusal is told once. Everything else about connections is ordinary and stays untold.
 */
export function peerRefusals(tell: (refusal: ToldRefusal) => void): (note: PeerNote) => void {
  const told = new Set<string>()
  return (note) => {
    const refusal = refusalIn(note)
    if (refusal === null || told.has(refusal.sentence) || told.size === REFUSALS_MAX) return
    told.add(refusal.sentence)
    tell(refusal)
  }
}

/** Peers that refuse this node now. Both ends dial again every second, so a refusal that is over is not heard any more. */
export class RecentRefusals {
  private readonly byPeer = new Map<string, ToldRefusal & { readonly atMs: number }>()
  private readonly nowMs: () => number

  constructor(nowMs: () => number) {
    this.nowMs = nowMs
  }

  /** Takes every note of the peer transport. */
  note(note: PeerNote): void {
    const refusal = refusalIn(note)
    if (refusal !== null && refusal.peer !== null) this.byPeer.set(refusal.peer, { ...refusal, atMs: this.nowMs() })
  }

  current(): readonly ToldRefusal[] {
    return [...this.byPeer.values()].filter(({ atMs }) => this.nowMs() - atMs <= RECENT_MS)
  }
}

function refusalIn({ peer, event, message }: PeerNote): ToldRefusal | null {
  if (event === 'refused') {
    const code = /^[A-Z_]+(?=: )/.exec(message)?.[0] ?? ''
    return { peer, code, sentence: `${peer ?? 'a peer'} refuses this node: ${message}.${cureOf(code)}` }
  }
  const cure = cureOf(event)
  if (cure === '') return null
  return { peer, code: event, sentence: `a peer's frames are refused: ${event}: ${message}.${cure}` }
}

function cureOf(code: string): string {
  const entry = explainError('peer', code)
  return entry === null ? '' : ` ${entry.cure}`
}
