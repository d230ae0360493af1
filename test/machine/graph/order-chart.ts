import { and, assign, createMachine, fromPromise, not, stateIn } from 'xstate'

const check = createMachine({
  id: 'check',
  initial: 'run',
  states: { run: { after: { 50: 'over' } }, over: { type: 'final' } },
})

/** A chart with everything that a diagram can show. */
export const order = createMachine(
  {
    id: 'order',
    initial: 'open',
    on: { CANCEL: '.cancelled', NOTE: { actions: assign({ notes: 1 }) } },
    states: {
      open: {
        initial: 'filling',
        on: { RESTART: { target: 'open', reenter: true }, HOLD: 'held' },
        states: {
          filling: { on: { 'PAY: CARD': { guard: and(['named', not('empty')]), target: 'paying' } } },
          paying: {
            invoke: { src: 'charge', onDone: '#order.packing', onError: 'filling' },
            after: { patience: 'filling', 600000: '#order.cancelled' },
          },
          last: { type: 'history', target: 'filling' },
        },
      },
      held: { on: { RESUME: 'open.last' } },
      packing: {
        type: 'parallel',
        states: {
          parcel: {
            initial: 'run',
            states: { run: { on: { PACKED: 'end' } }, end: { type: 'final' } },
          },
          invoice: {
            initial: 'run',
            invoke: { id: 'checking', src: 'check' },
            states: {
              run: {
                on: { PRINTED: [{ guard: stateIn({ packing: { parcel: 'end' } }), target: 'end' }, { target: 'run' }] },
              },
              end: { type: 'final' },
            },
          },
          trace: { type: 'history', history: 'deep' },
        },
        onDone: 'sent',
      },
      sent: { always: { guard: ({ context }) => context.notes > 3, target: 'cancelled' }, type: 'atomic' },
      cancelled: { type: 'final' },
    },
    context: { notes: 0 },
  },
  {
    actors: { charge: fromPromise(async () => 1), check },
    delays: { patience: 1_000 },
    guards: { named: () => true, empty: () => false },
  } as never,
)
