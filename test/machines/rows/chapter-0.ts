import { cells, type Chapter, rows } from './named-rows.ts'

/** Every table of chapter 0 of the design, row by row. */
export const CHAPTER_0: Chapter = {
  folders: ['machines/', 'machine/', 'session/', 'http/', 'sim/'],
  tables: {
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
  },
}
