import type { Random } from '../../base/random.ts'

/** One connection that carries session frames; gRPC, an in-process node, or the simulator's network. */
export interface Channel {
  /** Best effort; nothing is sent once the channel has closed. */
  send(frame: Buffer): void
  /** Ends it without a further call to the listener. */
  close(): void
}

export interface ChannelListener {
  onFrame(frame: Uint8Array): void
  /** The channel is gone or never came to be; at most once. */
  onClosed(code: string, message: string): void
}

export type Dial = (endpoint: string, listener: ChannelListener) => Channel

/** Time, as the library sees it: the simulator's is virtual. */
export interface ClientClock {
  /** Monotonic milliseconds, may have a fraction. */
  nowMs(): number
  setTimer(delayMs: number, callback: () => void): { cancel(): void }
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
}
