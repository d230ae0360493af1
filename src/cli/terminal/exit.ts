/** What the exit code of every command means (docs/cli.md). */
export const EXIT = { ok: 0, failure: 1, usage: 2, cannotConnect: 3, refused: 4, degraded: 5, notServing: 6 } as const

/** One of `EXIT`. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** A command that ends without its result: what happened, what to do next, and the code the process exits with. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly exitCode: ExitCode
  /** Stable code of the error registry, as in `holdfast explain CODE`; null when it is about the command line itself. */
  readonly code: string | null
  /** The next step for the person at the keyboard. */
  readonly cure: string

  constructor(exitCode: ExitCode, message: string, cure: string, code: string | null = null) {
    super(message)
    this.exitCode = exitCode
    this.code = code
    this.cure = cure
  }
}

/** The words of the command line do not make sense: exit code 2. */
export function usageError(message: string, cure: string): CommandError {
  return new CommandError(EXIT.usage, message, cure)
}

/** What to do about EMFILE. */
export const MORE_FILES =
  'This process may open too few files. Raise its limit (ulimit -n, LimitNOFILE) to 1024 at least.'

/** The code of an error that says what failed, the system's (`ENOENT`) or Holdfast's (`PORT_IN_USE`), or null. */
export function errorCode(error: unknown): string | null {
  if (typeof error !== 'object' || error === null || !('code' in error)) return null
  return typeof error.code === 'string' && /^(?!ERR_)[A-Z][A-Z0-9_]+$/.test(error.code) ? error.code : null
}
