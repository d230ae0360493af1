import { cells, type Chapter, rows } from './named-rows.ts'

/** Every table of chapter 0 of the design, row by row. */
export const CHAPTER_0: Chapter = {
  folders: ['machines/', 'machine/', 'session/', 'http/', 'sim/'],
  tables: {
    'names of 0.1': rows(`
      INVALID: the reserved
      2 principal: no session is opened without one`),
    '0.2 types and units': rows(`
      ids count up, and what the outside sees of them begins with the incarnation
      no fraction, no negative amount
      a required text that is empty once it is trimmed is VALIDATION_ERROR`),
    'D1 to D10, determinism rules of 0.3': rows(`
      D1 apply is a function of state and entry
      D2 time enters with the entry and never goes back
      D3 timers that are due fire before the entry
      D3 one long silence or a Tick a minute
      D4 what a provider says is an input
      D5 a refusal is a response
      D6 that a listener refuses rolls back the whole entry
      D7
      D8
      D9 a query changes nothing
      D10 a request that was applied is answered from the cache`),
    '0.5 order of checks': rows(`
      1 timers first
      1 shape before everything else
      2 principal
      4 the entity before the role
      5 the role before what was done already
      6 what was done already before the state
      7 the state before the state within
      8 the state within before the other guards
      9 the guards last, in their order
      10 steps, rows, notifications and timers come last`),
    '0.6 common error codes': cells(
      rows(`
        VALIDATION_ERROR
        UNAUTHENTICATED
        FORBIDDEN
        NOT_FOUND
        CONFLICT
        RATE_LIMITED
        SESSION_NOT_ACTIVE
        INVALID_STATE_TRANSITION
        STALE_STATE
        STALE_TASK
        INTERNAL_INVARIANT`),
      ' ',
      ['is met'],
    ),
    'notifications and tasks of 0.7': rows(`
      gives every live session of the principal one copy, in session order
      waits in the mailbox for the principal’s next session, oldest first
      a full mailbox drops the oldest and counts
      goes to the worker with the fewest open tasks, then the lowest session id
      waits for a worker, and is assigned to the next one
      is done with its first valid result, and an identical repeat by the same worker is a duplicate
      any worker with the role may give the result, whatever its attempt
      STALE_TASK, FORBIDDEN, VALIDATION_ERROR and UNKNOWN_COMMAND
      an invalid result counts as a failed attempt
      task.fail ends the attempt
      a lease that runs out queues the task again
      a worker that goes away loses its leases at once
      one that nobody ever leased fails at its queue deadline
      a task that nobody ever leased fails 15 min after its creation`),
    '0.7 task kinds': cells(
      rows(`
        needs.synthesize
        common_ground.analyze
        strategies.suggest
        invitation.deliver
        payment.stk_push
        payment.query
        payment.refund`),
      ': ',
      ['its role, lease, attempts and backoff, and its fallback'],
    ),
    '0.9 domain events': rows(`
      SessionActivated{sid}
      SessionPaused{sid} / SessionResumed{sid, pausedFor}
      SessionClosed{sid, status}
      FeelHeardConfirmed{sid, user}
      StageEntered{sid, user, stage}`),
    'domain events, how they are delivered': rows(`
      revokeConsent: of an attempt takes the attempt back
      is delivered first in, first out
      of an entry that is rejected is dropped`),
    '0.10 pure functions': cells(
      rows(`
        paymentTransition
        sessionTransition
        videoTransition
        crossSync
        forbiddenCode
        refundPct
        refundAmount
        midSessionPct
        joinCheck
        retrievalVerdict
        gateValues
        displayStatus`),
      ' ',
      ['is exported from holdfast/machines'],
    ),
    '0.11 what every machine also has': rows(`
      transition log: payments says of every step
      transition log: a duplicate says its key
      transition log: session and gates say theirs
      messages name from, to and what is allowed
      its tables name every state with its targets
      it names every command, table and task
      it names every command, query, table, task, timer, cause and code
      it names every command, query, table, task, event, phase and code`),
    'audit and alerts survive a refusal, 0.11': ['audit records, alerts and afterReject survive a rejection'],
  },
}
