import { fromXState } from 'holdfast/xstate'
import { assign, emit, fromPromise, setup } from 'xstate'

/** The chart as it was, for one process. */
const order = setup({
  types: {
    context: {} as { cents: number; parcel: string | null },
    input: {} as { cents: number },
    events: {} as { type: 'PAY'; cents: number } | { type: 'CANCEL' },
    emitted: {} as { type: 'shipped'; parcel: string },
  },
  actors: { ship: fromPromise(async ({ input }: { input: { cents: number } }) => `parcel for ${input.cents}`) },
  guards: { enough: ({ context, event }) => event.type === 'PAY' && event.cents >= context.cents },
}).createMachine({
  id: 'order',
  initial: 'waiting',
  context: ({ input }) => ({ cents: input.cents, parcel: null }),
  states: {
    waiting: {
      on: { PAY: { guard: 'enough', target: 'shipping' }, CANCEL: 'cancelled' },
      after: { 600000: 'lapsed' },
    },
    shipping: {
      invoke: {
        id: 'ship',
        src: 'ship',
        input: ({ context }) => ({ cents: context.cents }),
        onDone: { target: 'shipped', actions: assign({ parcel: ({ event }) => event.output }) },
        onError: 'undeliverable',
      },
    },
    shipped: { entry: emit(({ context }) => ({ type: 'shipped', parcel: context.parcel ?? '' })), type: 'final' },
    lapsed: { type: 'final' },
    cancelled: { type: 'final' },
    undeliverable: { type: 'final' },
  },
})

export const orders = fromXState(order, {
  name: 'orders',
  version: 1,
  work: { ship: { role: 'shipper', maxAttempts: 2 } },
})

export { order }
