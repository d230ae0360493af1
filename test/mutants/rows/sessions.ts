import type { Catcher, Mutant } from '../mutant.ts'

const MODEL: Catcher = { kind: 'tests', files: ['test/session/model/model.test.ts'] }
const REQUEST: Catcher = { kind: 'tests', files: ['test/session/entries/client-request.test.ts'] }
const OPEN: Catcher = { kind: 'tests', files: ['test/session/entries/open-session.test.ts'] }
const EXPIRY: Catcher = { kind: 'tests', files: ['test/session/clients/expiry.test.ts'] }
const OUTBOX: Catcher = { kind: 'tests', files: ['test/session/clients/outbox.test.ts'] }
const WINDOW: Catcher = { kind: 'tests', files: ['test/client/calls/request-window.test.ts'] }
const INBOX: Catcher = { kind: 'tests', files: ['test/client/session/request-inbox.test.ts'] }
const CORE: Catcher = { kind: 'tests', files: ['test/client/session/session-core.test.ts'] }

/** What a session promises, in apply and in the client library (sessions.md §3–§7). */
export const SESSIONS: readonly Mutant[] = [
  {
    id: 'sessions/conflict-answered-from-the-cache',
    breaks: 'another command under a known id is given the first one’s answer',
    file: 'src/session/entries/client-request.ts',
    find: '    if (cached.hashHigh !== request.hashHigh || cached.hashLow !== request.hashLow) return',
    replace: '    if (cached.hashHigh !== cached.hashHigh) return',
    caughtBy: REQUEST,
  },
  {
    id: 'sessions/floor-above-the-request',
    breaks: 'a copy with a newer floor than its id raises the floor past itself',
    file: 'src/session/entries/client-request.ts',
    find: 'raiseFloor(state, session, Math.min(request.lowestPendingRequestId, requestId))',
    replace: 'raiseFloor(state, session, request.lowestPendingRequestId)',
    caughtBy: REQUEST,
  },
  {
    id: 'sessions/ack-of-what-was-never-sent',
    breaks: 'an ack beyond the last server request is taken, and hides those to come',
    file: 'src/session/entries/server-request-ack.ts',
    find: ' || upTo > session.row.lastId',
    replace: '',
    caughtBy: OUTBOX,
  },
  {
    id: 'sessions/late-copy-opens-again',
    breaks: 'a late copy of an open opens a session that was closed once more',
    file: 'src/session/entries/open-session.ts',
    find: '  if (tombstone !== null) return refused(',
    replace: '  if (tombstone !== null && tombstone.at < 0) return refused(',
    caughtBy: OPEN,
  },
  {
    id: 'sessions/renewed-session-expires',
    breaks: 'a session that was heard of after the leader looked expires all the same',
    file: 'src/session/entries/expire-sessions.ts',
    find: ' || session.row.renewedAtIndex !== named.renewedAtIndex',
    replace: '',
    caughtBy: EXPIRY,
  },
  {
    id: 'sessions/stranger-attaches',
    breaks: 'whoever knows the number of a session takes it over without its secret',
    file: 'src/session/entries/attach-session.ts',
    find: "  if (session.row.secret !== secret) return refused('SESSION_UNKNOWN')\n",
    replace: '',
    caughtBy: OPEN,
  },
  {
    id: 'sessions/attach-replaces-any-epoch',
    breaks: 'an attach replaces another epoch than the one that it names',
    file: 'src/session/entries/attach-session.ts',
    find: '  if (!repeated && payload.replaces !== session.row.epoch) {',
    replace: '  if (!repeated && payload.replaces > session.row.epoch) {',
    caughtBy: MODEL,
  },
  {
    id: 'sessions/dropped-request-named-as-previous',
    breaks: 'a request names as the one before it one that was taken out, and its client waits for that',
    file: 'src/session/clients/outbox.ts',
    find: '  else replaceRequest(state, session, { ...next, previousId: request.previousId })',
    replace: '  else replaceRequest(state, session, next)',
    caughtBy: OUTBOX,
  },
  {
    id: 'sessions/client-reports-a-lost-copy-as-not-executed',
    breaks: 'a command whose deadline passes while a copy is under way is reported as not executed',
    file: 'src/client/calls/pending-command.ts',
    find: 'pending.openCopies > 0 ? ',
    replace: 'pending.openCopies > 1 ? ',
    caughtBy: WINDOW,
  },
  {
    id: 'sessions/client-lets-the-floor-pass-an-unknown-command',
    breaks: 'the floor passes a command of unknown outcome, whose answer is gone then',
    file: 'src/client/calls/request-window.ts',
    find: "    if (outcome.kind === 'notExecuted') this.release(pending, false)\n    else pending.deadlineAt = 0",
    replace: '    this.release(pending, false)',
    caughtBy: WINDOW,
  },
  {
    id: 'sessions/client-acknowledges-what-it-has-not-handled',
    breaks: 'a server request is acknowledged before its handler has finished',
    file: 'src/client/session/request-inbox.ts',
    find: '    this.busy = true\n    let returned = false',
    replace: '    this.busy = true\n    this.handled = request.serverRequestId\n    let returned = false',
    caughtBy: INBOX,
  },
  {
    id: 'sessions/client-takes-the-far-side-of-a-gap',
    breaks: 'a server request is handled although the one before it has not come',
    file: 'src/client/session/request-inbox.ts',
    find: '    if (previousId > this.received) return\n',
    replace: '',
    caughtBy: INBOX,
  },
  {
    id: 'sessions/client-attaches-with-a-new-nonce-each-time',
    breaks: 'a repeated attach is a second one, which the first has made a conflict',
    file: 'src/client/session/session-claim.ts',
    find: '    this.nonce ??= this.randomBytes(NONCE_BYTES)',
    replace: '    this.nonce = this.randomBytes(NONCE_BYTES)',
    caughtBy: CORE,
  },
  {
    id: 'sessions/client-renewed-when-it-hears',
    breaks: 'a session counts as renewed from its answer on, though the log counts from the command',
    file: 'src/client/session/keep-alive.ts',
    find: '    this.confirmed(this.unansweredPings.shift() ?? 0)',
    replace: '    this.confirmed((this.unansweredPings.shift() ?? 0) + this.timeoutMs / 2)',
    caughtBy: CORE,
  },
  {
    id: 'sessions/left-out-unsaid',
    breaks: 'a client is not told that server requests were dropped before the one that it is given',
    file: 'src/client/session/request-inbox.ts',
    find: 'if (serverRequestId > this.received + 1)',
    replace: 'if (serverRequestId < 0)',
    caughtBy: INBOX,
  },
  {
    id: 'sessions/dropped-request-named',
    breaks: 'the request behind a dropped one still names it, so that its client waits for ever',
    file: 'src/session/clients/outbox.ts',
    find: '  else replaceRequest(state, session, { ...next, previousId: request.previousId })\n',
    replace: '',
    caughtBy: { kind: 'simulator', seeds: 3 },
  },
  {
    id: 'sessions/left-out-told-once',
    breaks: 'what was left out is forgotten when the handler that was told of it fails',
    file: 'src/client/session/request-inbox.ts',
    find: '    this.options.onError(error, request)\n',
    replace: '    this.options.onError(error, request)\n    this.leftOut.clear()\n',
    caughtBy: INBOX,
  },
]
