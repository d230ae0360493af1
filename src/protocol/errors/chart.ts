import type { Rows } from './row.ts'

/** Why `fromXState` refuses a chart where it is defined; each stands in the text of the `ChartError`, with its place. */
export const CHART_ERRORS: Rows = {
  CHART_INLINE_ACTION: [
    'INVALID_ARGUMENT',
    false,
    'An action runs code of its own, which every replica would run, and again at every replay.',
    'Name it in `setup` and list it in `options.actions`: clients are sent a request. Or use assign, emit, raise, sendTo, invoke.',
  ],
  CHART_UNKNOWN_NAME: [
    'INVALID_ARGUMENT',
    false,
    'The chart names an action, guard or actor that is not implemented.',
    'Implement it in `setup`, or correct the name.',
  ],
  CHART_UNNAMED_ACTOR: [
    'INVALID_ARGUMENT',
    false,
    'An actor is given in place, spawned without an id, or has an id with a slash: after a restore it could not be found again.',
    'Name its logic in `setup({ actors })` and write the name; give it an id of its own, without a slash.',
  ],
  CHART_UNREPLICABLE_ACTOR: [
    'INVALID_ARGUMENT',
    false,
    'An actor is an observable, a reducer or a logic of its own: what it holds lives in one process.',
    'Make it a machine, a promise that a worker fulfils, or let a client send events.',
  ],
  CHART_LIVE_ONLY: [
    'INVALID_ARGUMENT',
    false,
    'The chart uses what only a running actor of one process has: a systemId, onSnapshot, a route.',
    'Send events by the id of an actor; let it send events back.',
  ],
  CHART_BAD_DELAY: [
    'INVALID_ARGUMENT',
    false,
    'A delay is missing, negative or no finite number; XState would fire at once, or never.',
    'Give it as milliseconds, 0 or more, or name it in `setup({ delays })`.',
  ],
  CHART_CONTEXT: [
    'INVALID_ARGUMENT',
    false,
    'The context that the chart begins with, or the meta of a state, is no plain data.',
    'Use null, booleans, finite numbers, text, bytes, arrays and plain objects; a date is a number of milliseconds.',
  ],
}
