import type { CommandOutcome } from '../client/calls/call.ts'
import type { ClientSession } from '../client/session/client-session.ts'
import { type ClientClock, type Channel, type Dial, TIMER_MS_MAX } from '../client/connection/ports.ts'
import { connect, ConnectError } from '../client/connect.ts'
import { embeddedEnvironment } from '../client/connection/environment.ts'
import type { Value } from '../codec/value/value.ts'
import { ANSWER_MS_MAX } from './http-bounds.ts'

/** Who the node's own session is for, and where it looks for the leader. */
export interface NodeClientOptions {
  /** In this process for the node's own address, else by the network: the leader may be any node. */
  readonly dial: Dial
  /** The node's own address first. */
  readonly endpoints: readonly string[]
  readonly principal: string
  readonly roles: readonly string[]
  /** Shown to operators. */
  readonly name: string
}

/** A command that is the same however often it is executed: its own ids say so. */
export interface IdempotentCommand {
  readonly machine: string
  readonly command: string
  readonly input: Value
}

/** How long a command may take, and what ends it before. */
export interface ExecuteOptions {
  readonly deadlineMs: number
  readonly signal: AbortSignal
}

/** Codes of a session that is no more, which says nothing about the command. */
const SESSION_GONE: ReadonlySet<string> = new Set([
  'SESSION_EXPIRED',
  'SESSION_UNKNOWN',
  'SUPERSEDED',
  'CLUSTER_CHANGED',
  'SESSION_CLOSED',
])
/** How long the end of the session may take; it would expire by itself. */
const CLOSE_MS = 300

/**
 * The session of a node itself: one, opened when something is to be done for the first time, and opened anew when it was lost.
 * Whoever leads executes its commands. Nothing of it keeps the process alive.
 */
export class NodeClient {
  private readonly options: NodeClientOptions
  private readonly channels = new Set<Channel>()
  private opening: Promise<ClientSession> | null = null
  private closed = false

  constructor(options: NodeClientOptions) {
    this.options = options
  }

  /**
   * Executes it. Never rejects. One whose session was lost on the way is executed again in a new one, which is why it has to
   * be idempotent. An `unknown` outcome is final: it is not asked for later.
   */
  async execute(call: IdempotentCommand, { deadlineMs, signal }: ExecuteOptions): Promise<CommandOutcome> {
    const deadlineAt = performance.now() + deadlineMs
    let outcome: CommandOutcome = notExecuted('DEADLINE_EXCEEDED')
    for (;;) {
      const leftMs = deadlineAt - performance.now()
      if (leftMs <= 0) return outcome
      if (signal.aborted || this.closed) return notExecuted('SHUTTING_DOWN')
      const session = await this.sessionWithin(leftMs, signal)
      if (typeof session === 'string') return notExecuted(session)
      const { machine, command, input } = call
      const options = { deadlineMs: Math.max(0, deadlineAt - performance.now()), signal }
      outcome = await session.execute(machine, command, input, options)
      if (outcome.kind === 'unknown') session.abandon(outcome.requestId)
      if (outcome.kind === 'ok' || !SESSION_GONE.has(outcome.code)) return outcome
      this.forget(session)
    }
  }

  /** Ends the session and every connection. */
  async close(): Promise<void> {
    this.closed = true
    const session = await this.sessionWithin(0, new AbortController().signal)
    if (typeof session !== 'string') await session.close({ deadlineMs: CLOSE_MS })
    for (const channel of this.channels) channel.close()
    this.channels.clear()
  }

  /** The session, or the code of why there is none. */
  private async sessionWithin(waitMs: number, signal: AbortSignal): Promise<ClientSession | string> {
    if (this.opening === null && this.closed) return 'SHUTTING_DOWN'
    let timer: NodeJS.Timeout | undefined
    let stop = (): void => undefined
    const over = new Promise<string>((resolve) => {
      timer = setTimeout(() => resolve('NO_LEADER'), waitMs)
      stop = () => resolve('SHUTTING_DOWN')
      signal.addEventListener('abort', stop)
    })
    this.opening ??= this.open()
    const opened = this.opening.catch((error: unknown) => (error instanceof ConnectError ? error.code : 'INTERNAL'))
    const first = await Promise.race([opened, over])
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
    return first
  }

  private open(): Promise<ClientSession> {
    const { principal, roles, name, endpoints } = this.options
    const environment = { ...embeddedEnvironment(this.dial), clock: idleClock }
    let lost = false
    const opening: Promise<ClientSession> = connect({
      principal,
      roles,
      name,
      endpoints,
      environment,
      connectDeadlineMs: ANSWER_MS_MAX,
      onSessionLost: () => {
        lost = true
        if (this.opening === opening) this.opening = null
      },
    })
    opening.then(
      (session) => {
        if (lost && this.opening === opening) this.forget(session)
      },
      () => {
        if (this.opening === opening) this.opening = null
      },
    )
    return opening
  }

  private forget(session: ClientSession): void {
    session.detach()
    this.opening = null
  }

  private readonly dial: Dial = (endpoint, listener) => {
    if (this.closed) {
      listener.onClosed('SHUTTING_DOWN', 'the node is stopping')
      return { sendFrame: () => undefined, close: () => undefined }
    }
    // It may be closed before `dial` has returned.
    const ends = { open: true, channel: null as Channel | null }
    const end = (): void => {
      ends.open = false
      if (ends.channel !== null) this.channels.delete(ends.channel)
    }
    const onClosed = (code: string, message: string): void => {
      end()
      listener.onClosed(code, message)
    }
    const channel = this.options.dial(endpoint, { onFrame: (frame) => listener.onFrame(frame), onClosed })
    ends.channel = channel
    if (ends.open) this.channels.add(channel)
    return {
      sendFrame: (frame) => channel.sendFrame(frame),
      close: () => {
        end()
        channel.close()
      },
    }
  }
}

function notExecuted(code: string): CommandOutcome {
  return { kind: 'notExecuted', requestId: 0, code, details: null }
}

/** The sockets of callers keep the process alive, and nothing else does. */
const idleClock: ClientClock = {
  nowMs: () => performance.now(),
  setTimer: (delayMs, callback) => {
    const timer = setTimeout(callback, Math.min(delayMs, TIMER_MS_MAX)).unref()
    return { cancel: () => clearTimeout(timer) }
  },
  defer: queueMicrotask,
}
