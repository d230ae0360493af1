import type { StorageFault } from '../node/ports/storage-fault.ts'

/** Why a node did not start: a stable code and a sentence that says what to do next. Nothing was changed or is held. */
export class StartError extends Error {
  override readonly name = 'StartError'
  /**
   * `INVALID`: an option cannot be used, `field` names it. Every other one is about the data directory, e.g. `LOCKED`,
   * `WRONG_NODE`, `LOG_ROT`. In the registry of errors (`holdfast explain CODE`).
   */
  readonly code: StorageFault['code'] | 'INVALID'
  /** Path to the option that is wrong, e.g. `options.peers.n2`; null when it is about the data directory. */
  readonly field: string | null

  constructor(fault: { readonly code: StartError['code']; readonly message: string }, field: string | null = null) {
    super(fault.message)
    this.code = fault.code
    this.field = field
  }
}

/** The option at that path cannot be used; `problem` is read behind its name. */
export function invalidOption(field: string, problem: string): StartError {
  return new StartError({ code: 'INVALID', message: `${field} ${problem}` }, field)
}
