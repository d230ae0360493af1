import type { Catcher, Mutant } from '../mutant.ts'

/** Found among sessions that wait for each other, by the lists that follow the log. */
const RACED: Catcher = { kind: 'simulator', seeds: 30, workload: 'waits' }

const UNIT: Catcher = { kind: 'tests', files: ['test/session/tables/waits.test.ts'] }

const OWNERS: Catcher = { kind: 'tests', files: ['test/session/tables/wait-owners.test.ts'] }

/** Waits that miss their signal, hear of it twice, or out of turn. */
export const WAITS: readonly Mutant[] = [
  {
    id: 'waits/signal-looks-for-nobody',
    breaks: 'a signal is kept although somebody waits for it',
    file: 'src/session/tables/waits.ts',
    find: '    if (waiter !== undefined) {\n      if (!this.mayEnd)',
    replace: '    if (waiter !== undefined && keeping.now < 0) {\n      if (!this.mayEnd)',
    caughtBy: RACED,
  },
  {
    id: 'waits/kept-signal-missed',
    breaks: 'a wait does not look for the signal that came before it',
    file: 'src/session/tables/waits.ts',
    find: 'const kept = queue.signals.find(({ until }) => until > now)',
    replace: 'const kept = queue.signals.find(({ until }) => until < now)',
    caughtBy: RACED,
  },
  {
    id: 'waits/last-in-first-out',
    breaks: 'a signal ends the wait that has lasted shortest',
    file: 'src/session/tables/waits.ts',
    find: 'const [waiter] = queue.waiters',
    replace: 'const waiter = queue.waiters.at(-1)',
    caughtBy: RACED,
  },
  {
    id: 'waits/timed-out-and-signalled',
    breaks: 'a wait whose time is over stays, and takes a later signal as well',
    file: 'src/session/tables/waits.ts',
    find: "if (waiter !== undefined) this.endNow([waiter], { kind: 'timedOut' })",
    replace: "if (waiter !== undefined) this.ended.push({ waiter, end: { kind: 'timedOut' }, depth: 1 })",
    caughtBy: RACED,
  },
  {
    id: 'waits/rejected-and-signalled',
    breaks: 'what a rejected command has signalled ends a wait all the same',
    file: 'src/session/run/transaction.ts',
    find: '    this.state.waits.rollback()\n',
    replace: '    this.state.waits.commit()\n',
    caughtBy: RACED,
  },
  {
    id: 'waits/owner-leaves',
    breaks: 'the waits of a session that has ended stay',
    file: 'src/session/entries/end-session.ts',
    find: '  state.waits.endOwner(info.id)\n',
    replace: '',
    caughtBy: RACED,
  },
  {
    id: 'waits/timer-of-signalled-wait',
    breaks: 'the timer of a wait that was signalled stays armed',
    file: 'src/session/tables/waits.ts',
    find: 'else if (!added) timers.remove(TASK_MACHINE, name)',
    replace: '',
    caughtBy: RACED,
  },
  {
    id: 'waits/restored-without-kept-signals',
    breaks: 'a node that restarts forgets the signals that are kept',
    file: 'src/session/state/restore.ts',
    find: 'state.waits.restoreSignal(value as unknown as SignalRow)',
    replace: 'String(value)',
    caughtBy: RACED,
  },
  {
    id: 'waits/past-its-time',
    breaks: 'a wait ends with a signal whose time is over, while no sweep has come to it',
    file: 'src/session/tables/waits.ts',
    find: 'const kept = queue.signals.find(({ until }) => until > now)',
    replace: 'const kept = queue.signals[0]',
    caughtBy: UNIT,
  },
  {
    id: 'waits/chain-too-deep',
    breaks: 'ends of waits follow from each other one more deep than is said',
    file: 'src/session/tables/waits.ts',
    find: 'return this.depth < WAIT_CHAIN_MAX &&',
    replace: 'return this.depth <= WAIT_CHAIN_MAX &&',
    caughtBy: UNIT,
  },
  {
    id: 'waits/told-when-all-have-ended',
    breaks: 'of several sessions that end in one entry, one is handed what another one let go once it is gone itself',
    file: 'src/session/entries/end-session.ts',
    find: '  runWaitEnds(state, runner)\n',
    replace: '',
    caughtBy: OWNERS,
  },
]
