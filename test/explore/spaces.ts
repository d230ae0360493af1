import type { Bounds } from './world.ts'

/** A part of all that may happen, which is looked at whole. */
export interface Space {
  readonly name: string
  readonly bounds: Bounds
}

const THREE: Bounds = {
  logs: [[1], [1], [1]],
  terms: 1,
  commands: 0,
  crashes: 0,
  heartbeats: 0,
  messages: 1,
  promptDisks: false,
}

/** What `npm run explore` looks at: within twenty minutes on one processor. */
export const SPACES: readonly Space[] = [
  { name: 'an election, a command and a heartbeat', bounds: { ...THREE, commands: 1, heartbeats: 1 } },
  { name: 'an election, a command and a crash', bounds: { ...THREE, commands: 1, crashes: 1 } },
  { name: 'two elections, disks prompt', bounds: { ...THREE, terms: 2, promptDisks: true } },
  {
    name: 'an election over a suffix that no other has, disks prompt',
    bounds: { ...THREE, logs: [[1, 2], [1], [1]], heartbeats: 1, promptDisks: true },
  },
  {
    name: 'an election over the logs of figure 8, disks prompt',
    bounds: { ...THREE, logs: [[1, 2], [1, 3], [1]], promptDisks: true },
  },
]

/** The same cut short: what a planted bug of each kind needs, in a few seconds. */
export const CUT_SHORT: readonly Space[] = [
  { name: 'an election and a crash', bounds: { ...THREE, crashes: 1 } },
  {
    name: 'an election over a suffix that no other has, disks prompt',
    bounds: { ...THREE, logs: [[1, 2], [1], [1]], heartbeats: 1, promptDisks: true, actions: 11 },
  },
  {
    name: 'an election over the logs of figure 8, disks prompt',
    bounds: { ...THREE, logs: [[1, 2], [1, 3], [1]], promptDisks: true, actions: 9 },
  },
]
