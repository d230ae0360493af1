import assert from 'node:assert/strict'
import type { MachineDefinition } from '../../../src/machine/index.ts'
import { sessionTables } from '../../../src/machines/gates/facts/dialogues.ts'
import { gates, PRODUCT_MACHINES } from '../../../src/machines/index.ts'
import type { ServerRequest } from '../../../src/session/user-machine.ts'
import { assertTold } from '../lists/exchange-invariants.ts'
import type { MachineLists } from '../lists/machine-lists.ts'
import { composedInvariants } from './composed-invariants.ts'
import { COMPOSED_INPUTS, COMPOSED_WAYS, PRINCIPALS } from './composed-steps.ts'

const DEFINED = PRODUCT_MACHINES.filter((machine): machine is MachineDefinition => machine.kind === 'definition')
/** Of a machine that has several versions the newest runs, as in a new cluster. */
const newest = (one: MachineDefinition): boolean =>
  DEFINED.every(({ name, version }) => name !== one.name || version <= one.version)
const checked = gates as unknown as MachineDefinition
/** All the others, whose commands are drawn too. */
const DRIVEN: readonly MachineDefinition[] = DEFINED.filter((machine) => machine !== checked && newest(machine))

/** All of them, each at its newest version. */
export const MACHINES: readonly MachineDefinition[] = [checked, ...DRIVEN]

/** Inputs as `checkMachine` takes them: those of the checked machine by the names of its commands alone. */
const INPUTS = Object.fromEntries(
  Object.entries(COMPOSED_INPUTS).map(([name, values]) => [name.replace(/^gates\./, ''), values]),
)

/** Lists of commands over every machine of the product at once, all mounted in one deployment. */
export function composedLists(): MachineLists {
  const reached = new Set<string>()
  const rows = new Map<string, { readonly id: number; readonly seq: number }>()
  return {
    machine: checked,
    reached,
    wanted: WANTED,
    rare: {},
    options: {
      stepsMax: 30,
      begin: COMPOSED_WAYS,
      with: PRODUCT_MACHINES.filter((machine) => !MACHINES.includes(machine as MachineDefinition)),
      drive: DRIVEN,
      principals: PRINCIPALS,
      inputs: INPUTS,
      react: (request, principal) => {
        if (principal.startsWith('user:')) assertTold(request.payload)
        inOneRow(rows, request, principal)
        return null
      },
      invariants: {
        // Each is given the tables of its own machine.
        ...(composedInvariants((what) => reached.add(what)) as object),
        'each run has notifications of its own': (_tables, read) => {
          // Everybody who ever opened a session is there: before the first one, a run has just begun.
          if (read(sessionTables).people.count() === 0) rows.clear()
        },
      },
    },
  }
}

/** Notifications of all machines have one row of numbers for each principal, and come in it. */
function inOneRow(
  rows: Map<string, { readonly id: number; readonly seq: number }>,
  { type, serverRequestId: id, payload }: ServerRequest,
  principal: string,
): void {
  if (type !== 'notification') return
  const { seq } = payload as { readonly seq: number }
  const last = rows.get(principal)
  // A number that is not above the last one is of another session, or comes once more.
  if (last !== undefined && id > last.id) assert.ok(seq > last.seq, `${seq} after ${last.seq}`)
  rows.set(principal, { id, seq })
}

const WANTED = [
  ...['CREATED', 'INVITED', 'ACTIVE', 'PAUSED', 'RESOLVED', 'ABANDONED'].map((status) => `session: ${status}`),
  ...[0, 1, 2, 3, 4].map((stage) => `gates: stage ${stage}`),
  ...['HELD', 'ANALYZING', 'AWAITING_SHARING', 'REFINING', 'READY', 'REVEALED', 'VALIDATED'].flatMap((status) => [
    `reconciler: ${status}`,
    `closed with an attempt ${status}`,
  ]),
  ...['idle', 'standard_agent', 'event_agent'].map((state) => `concierge: ${state}`),
  'payments: confirmed/completed/ended',
  ...['needs.synthesize', 'common_ground.analyze', 'strategies.suggest', 'reconciler.analyze', 'share.refine'].map(
    (kind) => `task ${kind}`,
  ),
  ...['a guess taken back unread', 'a guess taken back', 'a guess hidden', 'an offer stood still'],
  'resolved after the exchange',
]
