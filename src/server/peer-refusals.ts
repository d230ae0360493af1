import { explainError } from '../protocol/errors.ts'

/** Different lines that one process says; what repeats for ever under new words stays silent beyond it. */
const LINES_MAX = 64

/** A change of a connection between nodes, as the peer transport notes it: `event` is a code, or `refused` by `peer`. */
export interface PeerNote {
  readonly peer: string | null
  readonly event: string
  readonly message: string
}

/**
 * Says that this node and a peer refuse each other's frames: a wiped directory, another cluster, a wrong address. Both ends
 * dial again every second, so each line is said once. Everything else about connections is ordinary and stays unsaid.
 */
export function peerRefusals(say: (line: string) => void): (note: PeerNote) => void {
  const said = new Set<string>()
  return (note) => {
    const line = refusalLine(note)
    if (line === null || said.has(line) || said.size === LINES_MAX) return
    said.add(line)
    say(line)
  }
}

function refusalLine({ peer, event, message }: PeerNote): string | null {
  if (event === 'refused') {
    const code = /^[A-Z_]+(?=: )/.exec(message)?.[0] ?? ''
    return `${peer ?? 'a peer'} refuses this node: ${message}.${cureOf(code)}`
  }
  const cure = cureOf(event)
  return cure === '' ? null : `a peer's frames are refused: ${event}: ${message}.${cure}`
}

function cureOf(code: string): string {
  const entry = explainError('peer', code)
  return entry === null ? '' : ` ${entry.cure}`
}
