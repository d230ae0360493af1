import { QueryBoard, type QueryRequest, type RawQueryOutcome } from '../../../src/client/calls/query-board.ts'
import { NodeStream } from '../../../src/client/connection/node-stream.ts'
import type { ClientEnvironment } from '../../../src/client/connection/ports.ts'
import { ByteWriter } from '../../../src/protocol/bytes.ts'
import { FRAME_VERSION } from '../../../src/protocol/frame.ts'
import { writeUp } from '../../../src/protocol/up-frame.ts'

/** A node that says nothing for so long while it is dialled is dialled again. */
const PATIENCE_MS = 2_000
const AGAIN_MS = 100

/** Queries of one node, whoever leads: what it says of a leader is not followed, and its stream is kept while it carries. */
export class NodeReads {
  private readonly endpoint: string
  private readonly environment: ClientEnvironment
  private readonly writer = new ByteWriter()
  private readonly board: QueryBoard
  private stream: NodeStream | null = null
  private closed = false

  constructor(endpoint: string, environment: ClientEnvironment) {
    this.endpoint = endpoint
    this.environment = environment
    this.board = new QueryBoard({
      clock: environment.clock,
      canSend: () => this.stream !== null && this.stream.greeting !== null,
      sendMessage: (message) => {
        this.writer.byte(FRAME_VERSION)
        writeUp(this.writer, message)
        this.stream?.sendFrame(this.writer.take())
      },
    })
    this.dial()
  }

  query(request: QueryRequest, deadlineMs: number, done: (outcome: RawQueryOutcome) => void): void {
    this.board.query(request, deadlineMs, done)
  }

  close(): void {
    this.closed = true
    this.stream?.close()
    this.board.stop('CLIENT_CLOSED')
  }

  private dial(): void {
    if (this.closed) return
    let greeted = false
    const stream = new NodeStream(
      this.endpoint,
      { environment: this.environment, patienceMs: PATIENCE_MS },
      {
        onHeard: () => undefined,
        onLeader: () => {
          stream.keep()
          if (!greeted) this.board.connected()
          greeted = true
        },
        onMessage: (_, message) => {
          if (message.kind === 'queryResult') this.board.settle(message)
        },
        onGone: () => {
          this.stream = null
          this.environment.clock.setTimer(AGAIN_MS, () => this.dial())
        },
      },
    )
    this.stream = stream
    stream.dial()
  }
}
