import { streamOperator } from '../connection/grpc.ts'
import { OperatorError } from './ask-leader.ts'

/** An entry that a node has applied. */
export interface WatchLine {
  readonly index: number
  readonly term: number
  readonly timeMs: number
  readonly kind: string
  /** The session that it names or made; of several the first. '': none. */
  readonly session: string
  readonly sessions: number
  readonly machine: string
  readonly command: string
  readonly requestId: number
  /** '': applied before somebody watched. */
  readonly outcome: string
  readonly code: string
  readonly applyMs: number
}

/** What to watch, and who hears of it. */
export interface Watching {
  /** Only commands of these; none: every entry. */
  readonly machines: readonly string[]
  /** Entries from here on that are applied already come first; 0: none of them. */
  readonly sinceIndex: number
  /** 0: no end. */
  readonly limit: number
  /** The node answers. */
  onOpen(node: { readonly node: string; readonly firstKeptIndex: number }): void
  onLine(line: WatchLine): void
}

interface WatchMessage {
  readonly node: string
  readonly firstKeptIndex: number
  readonly lines: readonly WatchLine[]
}

/**
 * Follows what one node applies. Resolves when the limit is reached; rejects with OperatorError when the node ends it or is
 * lost, with what a callback throws, and then hears no more.
 */
export function watchNode(endpoint: string, { onOpen, onLine, ...request }: Watching): Promise<void> {
  return new Promise((resolve, reject) => {
    let opened = false
    const stream = streamOperator(
      endpoint,
      { method: 'Watch', request },
      {
        onAnswer: (message) => {
          const { lines, ...node } = message as WatchMessage
          try {
            if (!opened) onOpen(node)
            opened = true
            for (const line of lines) onLine(line)
          } catch (error) {
            stream.cancel()
            reject(error)
          }
        },
        onEnd: (end) => (end === null ? resolve() : reject(new OperatorError(end.code, end.message))),
      },
    )
  })
}
