import type { Random } from '../../base/random.ts'
import type {
  ChangeMessage,
  DownMessage,
  QueryResultMessage,
  SubscriptionEndedMessage,
} from '../../protocol/down-message.ts'

/** One connection that carries session frames; gRPC, an in-process node, or the simulator's network. */
export interface Channel {
  /** Best effort: frames arrive in order or the channel closes; once it has closed nothing is sent. */
  sendFrame(frame: Buffer): void
  /** Releases it, without a further call to the listener. */
  close(): void
}

/** Who hears of a channel; calls may come before `dial` has returned. */
export interface ChannelListener {
  /** One whole frame; what is read from it are views of it. */
  onFrame(frame: Uint8Array): void
  /** The channel is gone or never came to be; at most once. `code` is the registry's, or a transport's own. */
  onClosed(code: string, message: string): void
}

/** Opens a channel to `host:port`. A failure to connect is told by `onClosed`; what is no endpoint may throw. */
export type Dial = (endpoint: string, listener: ChannelListener) => Channel

/** Longest wait of a timer, ms, about 24.8 days: Node's own; beyond it `setTimeout` fires at once. */
export const TIMER_MS_MAX = 2 ** 31 - 1

/** Time, as the library sees it: the simulator's is virtual. */
export interface ClientClock {
  /** Monotonic milliseconds, may have a fraction. */
  nowMs(): number
  /**
   * Calls back once; a longer wait than `TIMER_MS_MAX` may end after that. `upkeep`: what goes on for as long as a session is
   * open, and nobody waits for; with a node of this very process it does not keep the process alive.
   */
  setTimer(delayMs: number, callback: () => void, upkeep?: 'upkeep'): { cancel(): void }
  /** Calls back soon, after what is going on: what was said meanwhile shares one frame. */
  defer(callback: () => void): void
}

/** Everything of the world that the library uses. */
export interface ClientEnvironment {
  readonly dial: Dial
  readonly clock: ClientClock
  /** For jitter only. */
  readonly random: Random
  /** For secrets and nonces: unpredictable bytes, except in the simulator. */
  randomBytes(count: number): Uint8Array
  /**
   * Hears what nobody else is told of: a callback that threw, a failed or missing handler. The code is of scope `client`
   * in the registry; `cause` is what was thrown. Absent: nobody hears it.
   */
  warn?(code: string, message: string, cause?: unknown): void
}

/** What a node says to one session: the messages that name a channel. */
export type SessionMessage = Extract<DownMessage, { readonly channel: number }>

/** What a node says to whoever uses the connection, beside who it is and who leads. */
export type PassedMessage = SessionMessage | QueryResultMessage | ChangeMessage | SubscriptionEndedMessage
