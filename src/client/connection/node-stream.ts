import { unreachable } from '../../base/assert.ts'
import { DownFrameReader } from '../../protocol/down-frame.ts'
import type { DownMessage, GreetingMessage } from '../../protocol/down-message.ts'
import { sentenceOf } from '../check/invalid-argument.ts'
import type { Channel, ChannelListener, ClientEnvironment, PassedMessage } from './ports.ts'

/** Who hears of a stream. */
export interface NodeStreamListener {
  /** A frame came and was acted on, whatever was in it: the node's process runs, and the stream carries. */
  onHeard(stream: NodeStream): void
  /** The node says who leads: in its greeting, and whenever that changes. `leader` is '' when it knows nobody. */
  onLeader(stream: NodeStream): void
  onMessage(stream: NodeStream, message: PassedMessage): void
  /** It is over: by the node, by the network, or because the node's patience has ended. At most once, never after `close`. */
  onGone(stream: NodeStream, failure: string): void
}

/** One node that was dialled, and what it says of who leads. */
export class NodeStream {
  readonly endpoint: string
  /** Null before the node has greeted. */
  greeting: GreetingMessage | null = null
  /** Who leads, as the node has last said; '': nobody that it knows. */
  leader = ''
  leaderAddress = ''
  private readonly environment: ClientEnvironment
  private readonly patienceMs: number
  private readonly listener: NodeStreamListener
  private channel: Channel | null = null
  private timer: { cancel(): void } | null = null
  private over = false

  /** `patienceMs`: a node that says nothing for so long is given up, until `keep`. */
  constructor(
    endpoint: string,
    { environment, patienceMs }: { readonly environment: ClientEnvironment; readonly patienceMs: number },
    listener: NodeStreamListener,
  ) {
    this.endpoint = endpoint
    this.environment = environment
    this.patienceMs = patienceMs
    this.listener = listener
  }

  /** The node says of itself that it leads. */
  get leads(): boolean {
    return this.greeting !== null && this.greeting.node === this.leader
  }

  /** Dials, once. The listener may hear that it is gone before this returns. */
  dial(): void {
    this.waitAWhile()
    const reader = new DownFrameReader()
    const channel = this.dialChannel({
      onFrame: (frame) => {
        if (this.over) return
        const error = reader.read(frame, (message) => {
          if (!this.over) this.receive(message)
        })
        if (error !== null) this.fail(error)
        else if (!this.over) this.listener.onHeard(this)
      },
      onClosed: (code, message) => this.fail(`${code}: ${message}`),
    })
    if (this.over) channel?.close()
    else this.channel = channel
  }

  /** A channel that throws is gone like any other: what was said on it is said again on the next. */
  sendFrame(frame: Buffer): void {
    try {
      this.channel?.sendFrame(frame)
    } catch (error) {
      this.fail(`the channel failed: ${sentenceOf(error)}`)
    }
  }

  /** From now on it is for others to find that the node has fallen silent. */
  keep(): void {
    this.timer?.cancel()
    this.timer = null
  }

  /** The patience begins anew. */
  waitAWhile(): void {
    this.timer?.cancel()
    const { clock } = this.environment
    this.timer = clock.setTimer(this.patienceMs, () => this.fail('the node said nothing in time'), 'upkeep')
  }

  /** Releases it; the listener hears nothing more. */
  close(): void {
    this.over = true
    this.keep()
    const { channel } = this
    this.channel = null
    try {
      channel?.close()
    } catch {
      // It is released as far as it can be.
    }
  }

  /** An address that a node named may be none at all: that ends this stream, and not the program. */
  private dialChannel(listener: ChannelListener): Channel | null {
    try {
      return this.environment.dial(this.endpoint, listener)
    } catch (error) {
      this.fail(`${this.endpoint} cannot be dialled: ${sentenceOf(error)}`)
      return null
    }
  }

  private receive(message: DownMessage): void {
    switch (message.kind) {
      case 'response':
      case 'serverRequest':
      case 'queryResult':
      case 'change':
      case 'subscriptionEnded':
      case 'opened':
      case 'attached':
      case 'acknowledged':
      case 'pong':
      case 'closed':
      case 'ended':
      case 'superseded':
      case 'refused':
        return this.listener.onMessage(this, message)
      case 'greeting':
        this.greeting = message
        return this.leaderIs(message)
      case 'leaderChanged':
        return this.leaderIs(message)
      case 'failed':
        return this.fail(`${message.code}: ${message.message}`)
      default:
        return unreachable(message)
    }
  }

  private leaderIs({ leader, leaderAddress }: { readonly leader: string; readonly leaderAddress: string }): void {
    if (this.greeting === null) return
    this.leader = leader
    this.leaderAddress = leaderAddress
    this.listener.onLeader(this)
  }

  private fail(failure: string): void {
    if (this.over) return
    this.close()
    this.listener.onGone(this, failure)
  }
}
