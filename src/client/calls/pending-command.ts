import { NO_DETAILS, type RawOutcome } from './raw-outcome.ts'

/**
 * Hears the outcome of a command, once, with the id that it ended under. Bytes of the outcome may be a view of the frame that
 * brought them: whoever keeps them for long copies them.
 */
export type Done = (outcome: RawOutcome, requestId: number) => void

/** A command as it is asked for, its input encoded. */
export interface CommandCall {
  readonly machine: string
  readonly command: string
  readonly input: Uint8Array
}

/** A command that was asked for and has no outcome yet. */
export interface PendingCommand extends CommandCall {
  /** Changes only before the first copy: the first attach of a session that is taken up again tells which ids are free. */
  requestId: number
  /** What `enqueue` returned. */
  readonly givenId: number
  /**
   * Null once its outcome was reported as unknown. It is kept then, so that `lowestPendingRequestId` does not pass it, until
   * an answer comes, `resolve` waits for it again or `abandon` gives it up.
   */
  done: Done | null
  /** The code with which its outcome was reported as unknown last; '' while it was not. */
  toldCode: string
  /** Who else waits for its outcome, whatever that is: queries that come after it. Null: nobody, as nearly always. */
  followers: Done[] | null
  /** Monotonic ms, or 0: none. */
  deadlineAt: number
  /** Copies sent that no answer and no new attach epoch has ruled out: while there is one, it may be executed. */
  openCopies: number
  /** Of those, how many rode behind attaches with a nonce that has no answer yet: the epoch to come does not fence them. */
  ridingCopies: number
  /** A copy rode behind the attach that is under way, and is not answered: after the attach none is due. */
  rides: boolean
  /** When the first copy was sent; 0: none was. */
  sentAt: number
  /** A copy is due at the next retry. */
  resend: boolean
  /** Code of the last answer that was no outcome; '' before the first. */
  lastCode: string
  /** Copies that were refused for good while another was open. */
  refusals: number
}

/** A command of which no copy was sent yet. `deadlineAt`: monotonic ms, 0: none. */
export function pendingCommand(call: CommandCall, requestId: number, deadlineAt: number, done: Done): PendingCommand {
  return {
    requestId,
    givenId: requestId,
    machine: call.machine,
    command: call.command,
    input: call.input,
    done,
    toldCode: '',
    followers: null,
    deadlineAt,
    openCopies: 0,
    ridingCopies: 0,
    rides: false,
    sentAt: 0,
    resend: false,
    lastCode: '',
    refusals: 0,
  }
}

/** Tells an outcome to everybody who waits for it; a later one is for whoever asks then. */
export function tell(pending: PendingCommand, outcome: RawOutcome): void {
  const { done, followers, requestId } = pending
  pending.done = null
  pending.followers = null
  if (outcome.kind === 'unknown') pending.toldCode = outcome.code
  done?.(outcome, requestId)
  if (followers !== null) for (const follower of followers) follower(outcome, requestId)
}

/** `notExecuted` only if no copy of the command can be executed any more (sessions.md §7), else `unknown`. */
export function outcomeOf(pending: PendingCommand, code: string): RawOutcome {
  return pending.openCopies > 0 ? { kind: 'unknown', code } : { kind: 'notExecuted', code, details: NO_DETAILS }
}
