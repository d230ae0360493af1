import { converseOperator } from '../connection/grpc.ts'
import { OperatorError } from './ask-leader.ts'

/** What a backup holds besides the state, and the entries that the state needs. */
export interface AskedBackup {
  /** Also other entries of the log, as far as they are kept. */
  readonly withLog: boolean
  /** With them none up to this index; 0: all that are kept. */
  readonly sinceIndex: number
}

/** Pieces that are asked for ahead of the one that is used: 512 KiB each at most. */
const AHEAD = 4

/**
 * The bytes of a backup of one node, piece by piece as they are taken: what is not taken is not asked for, so that memory stays
 * bounded on both sides. Whoever stops early ends it. Throws OperatorError when the node refuses, ends it, or is lost.
 */
export async function* backupPieces(endpoint: string, asked: AskedBackup): AsyncGenerator<Uint8Array> {
  const arrived: Uint8Array[] = []
  let over: { readonly error: OperatorError | null } | null = null
  let wake: () => void = () => undefined
  const stream = converseOperator(endpoint, 'Backup', {
    onAnswer: (message) => {
      arrived.push((message as { readonly bytes: Uint8Array }).bytes)
      wake()
    },
    onEnd: (end) => {
      over = { error: end === null ? null : new OperatorError(end.code, end.message) }
      wake()
    },
  })
  try {
    for (let piece = 0; piece < AHEAD; piece += 1) stream.say(asked)
    for (;;) {
      const piece = arrived.shift()
      if (piece !== undefined) {
        yield piece
        stream.say(asked)
        continue
      }
      const ended = over as { readonly error: OperatorError | null } | null
      if (ended?.error != null) throw ended.error
      if (ended !== null) return
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  } finally {
    stream.cancel()
  }
}
