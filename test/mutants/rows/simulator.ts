import type { Catcher, Mutant } from '../mutant.ts'

const WITHIN_300_SEEDS: Catcher = { kind: 'simulator', seeds: 300 }

/** Found among clients that pay, through a provider that misbehaves. */
const PAYING: Catcher = { kind: 'simulator', seeds: 60, workload: 'payments' }

/** Found among charts of XState, by the actors that follow the log. */
const CHARTED: Catcher = { kind: 'simulator', seeds: 30, workload: 'charts' }

/** What the simulator itself must find (faults.md §3). `npm run test:faults` plants these in each of its runs. */
export const SIMULATOR: readonly Mutant[] = [
  {
    id: 'simulator/read-without-round',
    breaks: 'a leader answers reads without asking whether it still leads',
    file: 'src/raft/read-index.ts',
    find: 'return sequence !== null && (leader.progress.get(voter)?.followed ?? 0) > sequence',
    replace: 'return true',
    caughtBy: WITHIN_300_SEEDS,
  },
  {
    id: 'simulator/read-before-applied',
    breaks: 'a node answers a read before it has applied the index of it',
    file: 'src/node/reads/read-requests.ts',
    find: 'if (group.index === null || group.index > applied()) break',
    replace: 'if (group.index === null) break',
    caughtBy: WITHIN_300_SEEDS,
  },
  {
    id: 'simulator/damage-owes-nothing',
    breaks: 'a node whose log was damaged votes and campaigns as if it held all that it had acknowledged',
    file: 'src/raft/state.ts',
    find: 'obligation: restored.obligation,',
    replace: 'obligation: null,',
    caughtBy: WITHIN_300_SEEDS,
  },
  {
    id: 'simulator/vote-not-persisted',
    breaks: 'the vote is not persisted',
    file: 'src/node/propose/log-writes.ts',
    find: 'const hardState = effect.hardState ?? { currentTerm: raft.currentTerm, votedFor: raft.votedFor }',
    replace: 'const hardState = { currentTerm: raft.currentTerm, votedFor: null }',
    caughtBy: WITHIN_300_SEEDS,
  },
  {
    id: 'simulator/duplicate-executed-again',
    breaks: 'duplicates are executed again at apply',
    file: 'src/session/entries/client-request.ts',
    find: 'const cached = cachedResponse(session, requestId) // 6',
    replace: 'const cached = requestId < 0 ? cachedResponse(session, requestId) : null // 6',
    caughtBy: WITHIN_300_SEEDS,
  },
  {
    id: 'simulator/vote-without-log-check',
    breaks: 'a vote is granted without the up-to-date check',
    file: 'src/raft/check-vote.ts',
    find: 'return request.lastLogIndex >= state.lastIndex',
    replace: 'return true',
    caughtBy: WITHIN_300_SEEDS,
  },
  {
    id: 'simulator/reply-before-write',
    breaks: 'a reply does not wait for its write',
    file: 'src/raft/turn.ts',
    find: 'this.outgoing.push({ to, message, speaksOf: entriesUpTo })',
    replace: 'this.outgoing.push({ to, message, speaksOf: entriesUpTo < 0 ? entriesUpTo : null })',
    caughtBy: WITHIN_300_SEEDS,
  },
  {
    id: 'simulator/acknowledged-request-sent-again',
    breaks: 'a server request is sent again while its acknowledgement is on its way to the log',
    file: 'src/gateway/gateway-acks.ts',
    find: '    delivery.release(upTo)\n',
    replace: '',
    caughtBy: WITHIN_300_SEEDS,
  },
  {
    id: 'simulator/earlier-term-committed-by-counting',
    breaks: 'an entry of an earlier term is committed by counting (figure 8)',
    file: 'src/raft/commit.ts',
    find: '  if (index < role.firstOwnIndex) return false\n',
    replace: '',
    caughtBy: WITHIN_300_SEEDS,
  },
  {
    id: 'simulator/applied-trail-one-entry-off',
    breaks: 'the applied trail notes a state under the index of the next entry',
    file: 'src/node/apply/applied-witness.ts',
    find: 'this.ports.trail.append({ index, hash',
    replace: 'this.ports.trail.append({ index: index + 1, hash',
    caughtBy: WITHIN_300_SEEDS,
  },
  {
    id: 'simulator/orphaned-money-kept',
    breaks: 'money that a booking cannot take is kept, and no refund decided',
    file: 'src/machines/payments/change/settle.ts',
    find: "createRefund(change, { ...capturedMoney, pct: 100, reason: 'ORPHAN' })",
    replace: '',
    caughtBy: PAYING,
  },
  {
    id: 'simulator/receipt-told-twice',
    breaks: 'a receipt that is told of two pushes is two payments',
    file: 'src/machines/payments/change/settle.ts',
    find: 'if (receipt !== null) ctx.state.receipts.set(receipt, transactionId)\n  else openReview(',
    replace: 'if (receipt === null) openReview(',
    caughtBy: PAYING,
  },
  {
    id: 'simulator/money-after-failure-dropped',
    breaks: 'a success after a told failure is taken for a repeat of it',
    file: 'src/machines/payments/rules/repeat.ts',
    find: "return 'moneyAfterFailure'",
    replace: "return 'same'",
    caughtBy: PAYING,
  },
  {
    id: 'simulator/suspense-not-released',
    breaks: 'money in suspense stays there when it is captured',
    file: 'src/machines/payments/change/suspense.ts',
    find: 'ctx.state.suspense.delete(transactionId)',
    replace: '',
    caughtBy: PAYING,
  },
  {
    id: 'simulator/chart-timer-stays-after-it-fired',
    breaks: 'a timer of a chart that fired stays in its row',
    file: 'src/machine/xstate/entity/entity-draft.ts',
    find: 'return taken.state === null ? [] : [{ ...taken, fired: true }]',
    replace: 'return [taken]',
    caughtBy: CHARTED,
  },
  {
    id: 'simulator/chart-timer-fires-though-cancelled',
    breaks: 'a timer that a chart cancelled stays armed',
    file: 'src/machine/xstate/entity/entity-draft.ts',
    find: 'if (!fired && !this.timers.some((timer) => timer.n === n)) context.cancel(',
    replace: 'if (n < 0) context.cancel(',
    caughtBy: CHARTED,
  },
  {
    id: 'simulator/chart-second-timer-not-armed',
    breaks: 'a timer of a chart is armed only while no other one is',
    file: 'src/machine/xstate/entity/entity-draft.ts',
    find: 'if (!known) context.schedule(',
    replace: 'if (!known && before.timers.length < 1) context.schedule(',
    caughtBy: CHARTED,
  },
  {
    id: 'simulator/timers-lost-by-a-restore',
    breaks: 'a timer that comes with a snapshot is in no order of due times, and never fires',
    file: 'src/session/tables/timers.ts',
    find: '    this.heap.place(timer, row.dueAt)\n  }\n\n  private stageOn',
    replace: '  }\n\n  private stageOn',
    caughtBy: CHARTED,
  },
]
