import type { Catcher, Mutant } from '../mutant.ts'

const SERVER: Catcher = {
  kind: 'tests',
  files: ['test/gateway/subscriptions/subscriptions.test.ts', 'test/gateway/subscriptions/equal.test.ts'],
}
const STREAM: Catcher = { kind: 'tests', files: ['test/server/slow-subscriber.test.ts'] }
const CLIENT: Catcher = {
  kind: 'tests',
  files: ['test/client/calls/subscription-board.test.ts', 'test/client/live-chaos.test.ts'],
}

/** What subscribers are told, and what they are not. */
export const SUBSCRIPTIONS: readonly Mutant[] = [
  {
    id: 'subscriptions/asked-after-the-run',
    breaks: 'values of a run of entries but the last are passed over',
    file: 'src/gateway/session-gateway.ts',
    find: '    if (this.subscriptions.size > 0) this.subscriptions.applied()\n',
    replace: '',
    caughtBy: SERVER,
  },
  {
    id: 'subscriptions/older-on-resume',
    breaks: 'a node that is behind tells whoever resumes an older value',
    file: 'src/gateway/queries/subscriptions.ts',
    find: '    if (machine.appliedIndex < subscription.request.minIndex) return\n',
    replace: '',
    caughtBy: SERVER,
  },
  {
    id: 'subscriptions/change-before-registration',
    breaks: 'what is read is noted as nothing to be told of: the first change after a query is missed',
    file: 'src/session/rows/row-watches.ts',
    find: '    this.release()\n    this.touched = false\n    this.session = false\n',
    replace: '    this.release()\n    this.session = false\n',
    caughtBy: SERVER,
  },
  {
    id: 'subscriptions/range-ends-early',
    breaks: 'a row that comes before the first one found is not noticed',
    file: 'src/session/queries/watched-view.ts',
    find: 'this.watch.readRange(reverse ? last : from, ',
    replace: 'this.watch.readRange(last, ',
    caughtBy: SERVER,
  },
  {
    id: 'subscriptions/left-out-unsaid',
    breaks: 'a value that was left out is not said when the next one equals what was told',
    file: 'src/gateway/queries/subscription.ts',
    find: '    if (this.told !== null && (this.told === print || Buffer.compare(this.told, print) === 0)) return\n',
    replace:
      '    if (this.told !== null && Buffer.compare(this.told, print) === 0) {\n      this.skipped = false\n      return\n    }\n',
    caughtBy: SERVER,
  },
  {
    id: 'subscriptions/resumed-from-the-start',
    breaks: 'the library resumes from where it began',
    file: 'src/client/calls/subscription-board.ts',
    find: 'Math.max(request.minIndex, last?.index ?? 0)',
    replace: 'request.minIndex',
    caughtBy: CLIENT,
  },
  {
    id: 'subscriptions/resumed-as-value',
    breaks: 'the first change after a reconnect is told as the very next one',
    file: 'src/client/calls/subscription-board.ts',
    find: 'if (compacted || (resumes && last !== null))',
    replace: 'if (compacted)',
    caughtBy: CLIENT,
  },
  {
    id: 'subscriptions/held-back-for-ever',
    breaks: 'a subscriber that was slow once hears nothing more',
    file: 'src/server/connect-stream.ts',
    find: '      this.connection.drained()\n',
    replace: '',
    caughtBy: STREAM,
  },
  {
    id: 'subscriptions/unsent-uncounted',
    breaks: 'a slow subscriber is cut with all its sessions',
    file: 'src/server/connect-stream.ts',
    find: 'this.inFlightBytes + this.waitingBytes,',
    replace: 'this.inFlightBytes,',
    caughtBy: STREAM,
  },
  {
    id: 'subscriptions/answer-of-somebody-else',
    breaks: 'a query that depends on who asks is shared: a session is told the answer of another one',
    file: 'src/session/queries/watched-view.ts',
    find: '    this.watch.readSession()\n',
    replace: '',
    caughtBy: SERVER,
  },
  {
    id: 'subscriptions/shared-with-the-deaf',
    breaks: 'whoever subscribes while equal subscribers are all slow shares a query that hears of nothing',
    file: 'src/gateway/queries/subscriptions.ts',
    find: 'if (known.isStale || known.isPersonal) return',
    replace: 'if (known.isPersonal) return',
    caughtBy: SERVER,
  },
]
