import { assign, setup } from 'xstate'

/** What an instance is begun with; `now` is filled in by whoever keeps it. */
export interface LeaseInput {
  readonly holder: string
  /** When it lapses, ms since the Unix epoch. */
  readonly dueAt: number
  readonly now: number
}

/**
 * The chart of the bench: somebody holds something until it lapses, and says now and then that he still does. Its timer stays
 * armed from the first state on, and a timer that fires twice is seen in the state.
 */
export const lease = setup({
  types: {
    context: {} as { holder: string; leftMs: number; renewals: number; renewedAt: number; lapsed: boolean },
    input: {} as LeaseInput,
    events: {} as { type: 'RENEW'; now: number } | { type: 'RELEASE'; now: number },
  },
  delays: { due: ({ context }) => context.leftMs },
  guards: { first: ({ context }) => !context.lapsed },
  actions: {
    lapse: assign({ lapsed: true }),
    renew: assign({
      renewals: ({ context }) => context.renewals + 1,
      renewedAt: ({ event }) => event.now,
    }),
  },
}).createMachine({
  id: 'lease',
  context: ({ input }) => ({
    holder: input.holder,
    leftMs: Math.max(1, input.dueAt - input.now),
    renewals: 0,
    renewedAt: input.now,
    lapsed: false,
  }),
  initial: 'held',
  after: { due: [{ guard: 'first', target: '.lapsed', actions: 'lapse' }, { target: '.lapsedAgain' }] },
  states: {
    held: {
      initial: 'fresh',
      on: { RELEASE: 'released' },
      states: {
        fresh: { on: { RENEW: { target: 'renewed', actions: 'renew' } } },
        renewed: { on: { RENEW: { target: 'fresh', actions: 'renew' } } },
      },
    },
    lapsed: {},
    lapsedAgain: {},
    released: {},
  },
})
