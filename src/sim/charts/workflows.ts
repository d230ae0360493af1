import {
  type AnyStateMachine,
  assign,
  cancel,
  createMachine,
  fromPromise,
  sendParent,
  sendTo,
  setup,
  spawnChild,
} from 'xstate'

/** A chart with what its clients send and its workers answer. Delays are multiples of 10 ms. */
export interface Workflow {
  readonly name: string
  readonly machine: AnyStateMachine
  readonly input?: object
  readonly events: readonly ({ readonly type: string } & { readonly [field: string]: number | string | boolean })[]
  readonly outputs?: readonly (
    | number
    | string
    | boolean
    | null
    | { readonly [field: string]: number | string | boolean }
  )[]
}

/** A worker does it: this body never runs. */
export const work = fromPromise<unknown>(() => {
  throw new Error('the work of a chart is done by workers')
})

/** A chart that was written without `setup` is given its implementations untyped. */
export const untyped = <Type>(implementations: object): Type => implementations as unknown as Type

type Outcome = { readonly output: unknown }

const asyncFunction: Workflow = {
  name: 'a function that is called and answered later',
  machine: setup({ actors: { sendMail: work } }).createMachine({
    id: 'mail',
    initial: 'sending',
    context: ({ input }) => ({ customer: (input as { customer: string }).customer, receipt: null as unknown }),
    states: {
      sending: {
        invoke: {
          src: 'sendMail',
          input: ({ context }) => ({ to: context.customer }),
          onDone: { target: 'sent', actions: assign({ receipt: ({ event }) => (event as Outcome).output }) },
          onError: 'unsent',
        },
      },
      sent: { type: 'final' },
      unsent: { on: { RETRY: 'sending' } },
    },
    output: ({ context }) => ({ receipt: context.receipt }),
  }),
  input: { customer: 'Ann' },
  events: [{ type: 'RETRY' }],
  outputs: ['r1', 2],
}

const branches: Workflow = {
  name: 'two branches that both have to end',
  machine: createMachine({
    id: 'branches',
    initial: 'both',
    states: {
      both: {
        type: 'parallel',
        states: {
          short: {
            initial: 'run',
            states: { run: { after: { 40: 'end' }, on: { SKIP: 'end' } }, end: { type: 'final' } },
          },
          long: {
            initial: 'run',
            states: { run: { after: { 90: 'end' }, on: { SKIP: 'end' } }, end: { type: 'final' } },
          },
        },
        onDone: 'joined',
        on: { RESTART: { target: 'both', reenter: true } },
      },
      joined: { on: { RESTART: 'both' } },
    },
  }),
  events: [{ type: 'SKIP' }, { type: 'RESTART' }],
}

const retries: Workflow = {
  name: 'work that is tried again, each time after a longer wait',
  machine: createMachine(
    {
      id: 'retries',
      initial: 'trying',
      context: { tries: 0, got: null as unknown },
      states: {
        trying: {
          entry: assign({ tries: ({ context }) => context.tries + 1 }),
          invoke: {
            id: 'fetch',
            src: 'fetch',
            onDone: { target: 'got', actions: assign({ got: ({ event }) => event.output }) },
            onError: [{ guard: { type: 'mayTry', params: { most: 3 } }, target: 'waiting' }, { target: 'lost' }],
          },
        },
        waiting: { after: { backoff: 'trying' }, on: { NOW: 'trying' } },
        got: { type: 'final' },
        lost: { on: { AGAIN: { target: 'trying', actions: assign({ tries: 0 }) } } },
      },
    },
    untyped({
      actors: { fetch: work },
      delays: { backoff: ({ context }: { context: { tries: number } }) => 20 * 2 ** context.tries },
      guards: {
        mayTry: ({ context }: { context: { tries: number } }, { most }: { most: number }) => context.tries < most,
      },
    }),
  ),
  events: [{ type: 'NOW' }, { type: 'AGAIN' }],
  outputs: [1],
}

const timeouts: Workflow = {
  name: 'a check that has to answer in time',
  machine: setup({ actors: { check: work } }).createMachine({
    id: 'credit',
    initial: 'checking',
    context: { approved: null as unknown },
    states: {
      checking: {
        invoke: {
          src: 'check',
          onDone: { target: 'deciding', actions: assign({ approved: ({ event }) => (event as Outcome).output }) },
          onError: 'manual',
        },
        after: { 120: 'manual' },
      },
      deciding: {
        always: [{ guard: ({ context }) => context.approved === true, target: 'approved' }, { target: 'denied' }],
      },
      manual: { on: { APPROVE: 'approved', DENY: 'denied', RECHECK: 'checking' }, after: { 200: 'denied' } },
      approved: { type: 'final' },
      denied: { on: { RECHECK: 'checking' } },
    },
  }),
  events: [{ type: 'APPROVE' }, { type: 'DENY' }, { type: 'RECHECK' }],
  outputs: [true, false],
}

const inspection = createMachine(
  {
    id: 'inspection',
    initial: 'looking',
    context: ({ input }) => ({ part: (input as { part: string }).part, notes: 0 }),
    on: { NOTE: { actions: assign({ notes: ({ context }) => context.notes + 1 }) } },
    states: {
      looking: { invoke: { id: 'look', src: 'look', onDone: 'over', onError: 'again' } },
      again: { after: { 30: 'looking' } },
      over: { type: 'final' },
    },
    output: ({ context }) => context,
  },
  untyped<Parameters<typeof createMachine>[1]>({ actors: { look: work } }),
)

const childWorkflow: Workflow = {
  name: 'a workflow inside a workflow',
  machine: createMachine(
    {
      id: 'garage',
      initial: 'arriving',
      context: { result: null as unknown },
      states: {
        arriving: { on: { START: 'inspecting' } },
        inspecting: {
          invoke: {
            id: 'inspection',
            src: 'inspection',
            input: { part: 'brakes' },
            onDone: { target: 'ready', actions: assign({ result: ({ event }) => event.output }) },
          },
          on: { NOTE: { actions: sendTo('inspection', { type: 'NOTE' }) }, ABORT: 'arriving' },
        },
        ready: { on: { START: 'inspecting' } },
      },
    },
    untyped({ actors: { inspection } }),
  ),
  events: [{ type: 'START' }, { type: 'NOTE' }, { type: 'ABORT' }],
  outputs: ['fine'],
}

const eventBased: Workflow = {
  name: 'a decision that comes as an event, or too late',
  machine: createMachine({
    id: 'visa',
    initial: 'submitted',
    context: { by: '' },
    states: {
      submitted: {
        on: {
          APPROVED: { target: 'approved', actions: assign({ by: ({ event }) => event.by as string }) },
          REJECTED: 'rejected',
        },
        after: { 150: 'undecided' },
      },
      approved: { type: 'final' },
      rejected: { on: { APPEAL: 'submitted' } },
      undecided: { on: { APPEAL: 'submitted', REJECTED: 'rejected' } },
    },
  }),
  events: [{ type: 'APPROVED', by: 'clerk' }, { type: 'REJECTED' }, { type: 'APPEAL' }],
}

const polling: Workflow = {
  name: 'a job that is asked for until it has ended',
  machine: createMachine(
    {
      id: 'job',
      initial: 'submitting',
      context: { asked: 0 },
      states: {
        submitting: { invoke: { id: 'submit', src: 'submit', onDone: 'waiting', onError: 'failed' } },
        waiting: { after: { 50: 'asking' }, on: { ASK: 'asking' } },
        asking: {
          entry: assign({ asked: ({ context }) => context.asked + 1 }),
          invoke: {
            id: 'ask',
            src: 'ask',
            onDone: [
              { guard: ({ event }: { event: { output?: unknown } }) => event.output === 'SUCCEEDED', target: 'over' },
              { guard: ({ event }: { event: { output?: unknown } }) => event.output === 'FAILED', target: 'failed' },
              { target: 'waiting' },
            ],
            onError: 'waiting',
          },
        },
        over: { type: 'final' },
        failed: { on: { ASK: 'submitting' } },
      },
    },
    untyped({ actors: { submit: work, ask: work } }),
  ),
  events: [{ type: 'ASK' }],
  outputs: ['SUCCEEDED', 'FAILED', 'RUNNING'],
}

export const gauge = createMachine({
  id: 'gauge',
  initial: 'calm',
  context: ({ input }) => ({ of: (input as { of: string }).of, read: 0 }),
  states: {
    calm: { after: { 70: 'reading' }, on: { READ: 'reading' } },
    reading: {
      entry: [
        assign({ read: ({ context }) => context.read + 1 }),
        sendParent(({ context }) => ({ type: 'VALUE', of: context.of, read: context.read })),
      ],
      after: { 10: 'calm' },
    },
  },
})

const vitals: Workflow = {
  name: 'gauges that tell their parent while it wants to know',
  machine: createMachine(
    {
      id: 'car',
      initial: 'off',
      context: { told: [] as unknown[] },
      states: {
        off: { on: { TURN: 'on' } },
        on: {
          invoke: [
            // Timers of several entities that fall due together fire in the order of their ids.
            { id: 'oil', src: 'gauge', input: { of: 'oil' } },
            { id: 'tires', src: 'gauge', input: { of: 'tires' } },
          ],
          on: {
            TURN: 'off',
            ASK: { actions: [sendTo('oil', { type: 'READ' }), sendTo('tires', { type: 'READ' })] },
            VALUE: {
              actions: assign({ told: ({ context, event }) => [...context.told, `${event.of} ${event.read}`] }),
            },
          },
        },
      },
    },
    untyped({ actors: { gauge } }),
  ),
  events: [{ type: 'TURN' }, { type: 'ASK' }],
}

const lending: Workflow = {
  name: 'a book that is out, reserved, and asked for again',
  machine: setup({ actors: { lookUp: work } }).createMachine({
    id: 'lending',
    initial: 'asking',
    context: { status: null as unknown },
    states: {
      asking: {
        invoke: {
          src: 'lookUp',
          onDone: { target: 'answered', actions: assign({ status: ({ event }) => (event as Outcome).output }) },
          onError: 'closed',
        },
      },
      answered: {
        always: [
          { guard: ({ context }) => context.status === 'onloan', target: 'offering' },
          { guard: ({ context }) => context.status === 'available', target: 'lent' },
          { target: 'closed' },
        ],
      },
      offering: { on: { HOLD: 'holding', DECLINE: 'closed' } },
      holding: {
        initial: 'notice',
        states: { notice: { always: 'sleeping' }, sleeping: { after: { 140: '#lending.asking' } } },
        on: { DECLINE: 'closed' },
      },
      lent: { on: { RETURN: 'closed' } },
      closed: { type: 'final' },
    },
  }),
  events: [{ type: 'HOLD' }, { type: 'DECLINE' }, { type: 'RETURN' }],
  outputs: ['onloan', 'available', 'lost'],
}

const spawned: Workflow = {
  name: 'a helper that is spawned at the start and asked later',
  machine: createMachine(
    {
      id: 'desk',
      initial: 'open',
      entry: spawnChild('inspection', { id: 'helper', input: { part: 'desk' } }),
      context: { seen: null as unknown },
      on: {
        'xstate.done.actor.helper': {
          target: '.closed',
          actions: assign({ seen: ({ event }) => event.output }),
        },
      },
      states: {
        open: {
          on: {
            NOTE: { actions: sendTo('helper', { type: 'NOTE' }, { delay: 40, id: 'note' }) },
            HUSH: { actions: cancel('note') },
          },
        },
        closed: {},
      },
    },
    untyped({ actors: { inspection } }),
  ),
  events: [{ type: 'NOTE' }, { type: 'HUSH' }],
  outputs: ['fine'],
}

/** Typed again from what XState's published examples of workflows do. */
export const WORKFLOWS: readonly Workflow[] = [
  asyncFunction,
  branches,
  retries,
  timeouts,
  childWorkflow,
  eventBased,
  polling,
  vitals,
  lending,
  spawned,
]
