import { and, assign, cancel, createMachine, enqueueActions, not, or, raise, stateIn, stopChild } from 'xstate'
import { gauge, untyped, type Workflow, work } from './workflows.ts'

const lights: Workflow = {
  name: 'lights, with pedestrians inside the red one and a fault over all',
  machine: createMachine({
    id: 'lights',
    initial: 'green',
    on: { FAULT: '.blinking' },
    states: {
      green: { after: { 60: 'yellow' }, on: { PUSH: { target: 'yellow' } } },
      yellow: { after: { 20: 'red' } },
      red: {
        initial: 'walk',
        states: { walk: { after: { 30: 'wait' } }, wait: { after: { 20: 'stop' } }, stop: { type: 'final' } },
        onDone: 'green',
      },
      blinking: { on: { REPAIR: 'red' } },
    },
  }),
  events: [{ type: 'PUSH' }, { type: 'FAULT' }, { type: 'REPAIR' }],
}

const player: Workflow = {
  name: 'a player that remembers where it was',
  machine: createMachine({
    id: 'player',
    type: 'parallel',
    context: { volume: 5 },
    states: {
      film: {
        initial: 'off',
        states: {
          off: { on: { POWER: 'on.last' } },
          on: {
            initial: 'menu',
            on: { POWER: 'off' },
            states: {
              menu: { on: { PLAY: 'playing' } },
              playing: {
                initial: 'normal',
                on: { PAUSE: 'paused' },
                after: { 200: 'menu' },
                states: { normal: { on: { FAST: 'fast' } }, fast: { after: { 50: 'normal' } } },
              },
              paused: { on: { PLAY: 'playing' } },
              last: { type: 'history', history: 'deep', target: 'menu' },
            },
          },
        },
      },
      sound: {
        initial: 'loud',
        states: {
          loud: {
            on: {
              MUTE: 'mute',
              UP: {
                guard: ({ context }) => context.volume < 10,
                actions: assign({ volume: ({ context }) => context.volume + 1 }),
              },
            },
          },
          mute: { on: { MUTE: 'loud' } },
        },
      },
    },
  }),
  events: ['POWER', 'PLAY', 'PAUSE', 'FAST', 'MUTE', 'UP'].map((type) => ({ type })),
}

const stopwatch: Workflow = {
  name: 'a watch that sends itself its next tick',
  machine: createMachine({
    id: 'watch',
    initial: 'stopped',
    context: { ticks: 0 },
    states: {
      stopped: { on: { START: 'running', RESET: { actions: assign({ ticks: 0 }) } } },
      running: {
        entry: raise({ type: 'TICK' }, { id: 'tick', delay: 20 }),
        exit: cancel('tick'),
        on: {
          TICK: {
            actions: [
              assign({ ticks: ({ context }) => context.ticks + 1 }),
              raise({ type: 'TICK' }, { id: 'tick', delay: 20 }),
            ],
          },
          STOP: 'stopped',
        },
      },
    },
  }),
  events: [{ type: 'START' }, { type: 'STOP' }, { type: 'RESET' }],
}

const wizard: Workflow = {
  name: 'a form of several steps, with guards over guards',
  machine: createMachine(
    {
      id: 'wizard',
      initial: 'name',
      context: { name: '', age: 0 },
      on: { CLEAR: { target: '.name', actions: assign({ name: '', age: 0 }) } },
      states: {
        name: {
          on: {
            NAME: { actions: assign({ name: ({ event }) => event.name }) },
            NEXT: { guard: 'named', target: 'age' },
          },
        },
        age: {
          on: {
            AGE: { actions: assign({ age: ({ event }) => event.age }) },
            BACK: 'name',
            NEXT: [
              { guard: and(['named', 'adult']), target: 'sure' },
              { guard: or([not('adult')]), target: 'refused' },
            ],
          },
        },
        sure: { on: { BACK: 'age', NEXT: 'filed' } },
        refused: { on: { BACK: 'age' } },
        filed: { type: 'final', output: 1 },
      },
      output: ({ context }) => context,
    },
    untyped({
      guards: {
        named: ({ context }: { context: { name: string } }) => context.name !== '',
        adult: ({ context }: { context: { age: number } }) => context.age >= 18,
      },
    }),
  ),
  events: [
    { type: 'NAME', name: 'Bo' },
    { type: 'AGE', age: 17 },
    { type: 'AGE', age: 40 },
    { type: 'NEXT' },
    { type: 'BACK' },
    { type: 'CLEAR' },
  ],
}

const vending: Workflow = {
  name: 'coins that open a machine by themselves',
  machine: createMachine({
    id: 'vending',
    initial: 'idle',
    context: { cents: 0, sold: 0 },
    states: {
      idle: {
        always: { guard: ({ context }) => context.cents >= 100, target: 'selling' },
        on: {
          COIN: { actions: assign({ cents: ({ context, event }) => context.cents + (event.cents as number) }) },
          BACK: { actions: assign({ cents: 0 }) },
        },
      },
      selling: {
        entry: assign({ cents: ({ context }) => context.cents - 100, sold: ({ context }) => context.sold + 1 }),
        after: { 50: 'idle' },
        on: { COIN: { actions: assign({ cents: ({ context, event }) => context.cents + (event.cents as number) }) } },
      },
    },
  }),
  events: [{ type: 'COIN', cents: 50 }, { type: 'COIN', cents: 150 }, { type: 'BACK' }],
}

const crew: Workflow = {
  name: 'workers that are taken on and let go by name',
  machine: createMachine(
    {
      id: 'crew',
      initial: 'open',
      context: { dug: 0, heard: 0 },
      on: {
        HIRE: {
          guard: not(stateIn({ open: 'full' })),
          actions: enqueueActions(({ enqueue, event }) => {
            const { who } = event as unknown as { who: string }

            enqueue.spawnChild(who === 'ann' ? 'gauge' : 'dig', { id: who, input: { of: who } })
          }),
          target: '.open.full',
        },
        FIRE: { guard: stateIn({ open: 'full' }), actions: [stopChild('ann'), stopChild('bo')], target: '.open.empty' },
        VALUE: { actions: assign({ heard: ({ context }) => context.heard + 1 }) },
        'xstate.done.actor.bo': { actions: assign({ dug: ({ context }) => context.dug + 1 }) },
        'xstate.error.actor.*': { target: '.struck', actions: stopChild('ann') },
      },
      states: {
        open: { initial: 'empty', states: { empty: {}, full: {} } },
        struck: { after: { 30: 'open.full' } },
      },
    },
    untyped({ actors: { gauge, dig: work } }),
  ),
  events: [{ type: 'HIRE', who: 'ann' }, { type: 'HIRE', who: 'bo' }, { type: 'FIRE' }],
  outputs: [1],
}

/** Typed again from what XState's published examples of single machines do. */
export const CLASSICS: readonly Workflow[] = [lights, player, stopwatch, wizard, vending, crew]
