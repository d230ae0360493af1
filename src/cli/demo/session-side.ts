import { type ClientSession, connect, ConnectError, type Value } from '../../client/index.ts'
import { textField } from '../payments/outcome.ts'
import { CommandError, EXIT } from '../terminal/exit.ts'
import type { Answer, Heard, Side } from './flow.ts'

/** Longer than any change of leader: a command is repeated under its id until its outcome is known. */
const CALL_MS_MAX = 60_000
const SESSION_TIMEOUT_MS = 60_000
const OPEN_MS_MAX = 20_000

/** Whose session it is, and where. */
export interface SessionSideOptions {
  readonly endpoints: readonly string[]
  readonly principal: string
  readonly roles: readonly string[]
}

/** A session of the SDK as a flow's player needs it. */
export class SessionSide implements Side {
  private readonly session: ClientSession
  private readonly heard: Heard[] = []
  private wake: () => void = () => undefined

  private constructor(session: ClientSession) {
    this.session = session
    session.on('*', ({ type, payload }) => {
      this.heard.push(heardOf(type, payload))
      this.wake()
    })
  }

  /** Opens it. Rejects with CommandError when the cluster is not reached, or opens none. */
  static async open(options: SessionSideOptions): Promise<SessionSide> {
    const more = { timeoutMs: SESSION_TIMEOUT_MS, deadlineMs: CALL_MS_MAX, connectDeadlineMs: OPEN_MS_MAX }
    try {
      return new SessionSide(await connect({ ...options, ...more, name: 'holdfast demo' }))
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error
      const exitCode = error.code === 'NO_LEADER' ? EXIT.cannotConnect : EXIT.refused
      throw new CommandError(exitCode, error.message, `holdfast explain ${error.code} says what to do.`, error.code)
    }
  }

  async command(machine: string, command: string, input: Value): Promise<Answer> {
    const outcome = await this.session.execute(machine, command, input)
    if (outcome.kind === 'ok') return { kind: 'ok', value: outcome.value }
    if (outcome.kind === 'unknown') return { kind: 'failed', code: outcome.code }
    // Before the log or by the machine: refused, and nothing was changed.
    return { kind: 'refused', code: outcome.code, details: outcome.details }
  }

  async query(machine: string, query: string, input: Value): Promise<Answer> {
    const outcome = await this.session.query(machine, query, input)
    if (outcome.kind === 'ok') return { kind: 'ok', value: outcome.value }
    if (outcome.kind === 'failed') return { kind: 'failed', code: outcome.code }
    return { kind: 'refused', code: outcome.code, details: outcome.details }
  }

  async next(): Promise<Heard | null> {
    if (this.heard.length === 0) {
      let timer: NodeJS.Timeout | undefined
      await new Promise<void>((resolve) => {
        this.wake = resolve
        timer = setTimeout(resolve, CALL_MS_MAX)
      })
      clearTimeout(timer)
    }
    return this.heard.shift() ?? null
  }

  rest(): readonly Heard[] {
    return this.heard
  }

  /** Ends the session, so that the cluster need not wait for it to expire. False: the cluster was not reached. */
  close(): Promise<boolean> {
    return this.session.close()
  }
}

/** What a server request tells (domain.md §0.7). */
export function heardOf(type: string, payload: Value): Heard {
  // Made by the session layer: a task or a notification, and no machine of the demo sends anything else.
  const { attempt, ...told } = payload as { readonly attempt: number; readonly payload: Value; readonly body: Value }
  const text = (name: string): string => textField(payload, name) ?? ''
  if (type !== 'task') return { kind: 'notification', topic: text('topic'), body: told.body }
  return { kind: 'task', taskId: text('taskId'), task: text('kind'), attempt, payload: told.payload }
}
