import type { MultiSession } from '../src/client/session/multi-session.ts'
import type { InboxHandler } from '../src/client/session/request-inbox.ts'
import type { SessionCore } from '../src/client/session/session-core.ts'

/** A session of a bench: what was asked for, and who hears that it is no more. */
export interface BenchSessionOptions {
  readonly principal: string
  readonly timeoutMs: number
  readonly onLost?: (code: string) => void
  /** Default: each is handled at once. */
  readonly onServerRequest?: InboxHandler
}

/** Opens a session. Rejects when it is refused. */
export function openBenchSession(hub: MultiSession, options: BenchSessionOptions): Promise<SessionCore> {
  const { principal, timeoutMs, onLost, onServerRequest = (_request, done) => done(null) } = options
  return new Promise((resolve, reject) => {
    const fail = (code: string): void => {
      reject(new Error(`a session of the bench was lost: ${code}`))
      onLost?.(code)
    }
    const settings = { principal, roles: [], capabilities: {}, name: 'bench', timeoutMs, ordered: false, resume: null }
    const core = hub.openSession(settings, {
      onReady: () => resolve(core),
      onRefused: fail,
      onLost: fail,
      onSuspended: () => undefined,
      onResumed: () => undefined,
      onHandlerError: () => undefined,
      onServerRequest,
    })
  })
}
