import { register } from '../../machines/index.ts'
import { lists } from '../../sim/histories/lists-machine.ts'
import {
  checkAppend,
  checkLinearizable,
  checkOrderByIndex,
  defineWorkload,
  type HistoryValue,
  Keyword,
  type Operation,
  registerModel,
  type WorkloadClient,
} from '../../testing/index.ts'

type Client = WorkloadClient<readonly [typeof register, typeof lists]>
type Session = Awaited<ReturnType<Client['session']>>

/** Few, so that clients meet. */
const REGISTERS = ['a', 'b', 'c']
const LISTS = ['x', 'y', 'z']
const TURNS = 20
/** Of the commands: so many give up before their outcome is known, after a while in ms. */
const HASTY = 0.1
const HASTY_MS = [1, 300] as const
/** Every element is appended once: clients count in numbers of their own. */
const ELEMENTS_PER_CLIENT = 1000

/**
 * Registers and lists under everything that a seed does to nodes, with clients that may give up before they know. What they
 * were told is judged as Jepsen judges other systems, and by the log besides (faults.md §4).
 */
export const historiesWorkload = defineWorkload({
  machines: [register, lists],

  async client(client) {
    const session = await client.session()
    let seen: string | null = null
    for (let turn = 0; turn < TURNS; turn += 1) {
      const element = client.number * ELEMENTS_PER_CLIENT + turn
      if (client.random.chance(0.4)) await transact(client, session, element)
      else seen = await useRegister(client, session, { seen, value: String(element) })
      if (client.random.chance(0.3)) await client.sleep(client.random.between(1, 400))
    }
  },

  async finish(client) {
    const session = await client.session()
    for (const key of REGISTERS) await readRegister(client, session, key)
    await client.record(
      { name: 'txn', input: LISTS.map((key) => [READ, key, null]) },
      () => session.queries.lists.all(LISTS),
      (all) => LISTS.map((key, at) => [READ, key, all[at] ?? []]),
    )
  },

  checks: {
    'registers are linearizable': ({ operations }) => checkLinearizable(registersIn(operations), registerModel),
    'the log explains the registers': ({ operations }) =>
      checkOrderByIndex(registersIn(operations), registerModel, { logIsKnown: false }),
    'transactions are strictly serializable': ({ operations }) =>
      checkAppend(operations.filter(({ name }) => name === 'txn')),
  },

  minimum: { operations: 20, duringFaults: 5, acks: 20, elections: 1 },
})

const [APPEND, READ] = [new Keyword('append'), new Keyword('r')]

function registersIn(operations: readonly Operation[]): readonly Operation[] {
  return operations.filter(({ name }) => name !== 'txn')
}

/** Options of a command: now and then it is given up soon. */
function hasty({ random }: Client): { readonly deadlineMs?: number } {
  return random.chance(HASTY) ? { deadlineMs: random.between(...HASTY_MS) } : {}
}

async function useRegister(
  client: Client,
  session: Session,
  { seen, value }: { readonly seen: string | null; readonly value: string },
): Promise<string | null> {
  const { random } = client
  const { write, cas, read } = session.machines.register
  const key = random.pick(REGISTERS)
  const name = random.pick(['read', 'query', 'write', 'cas'])
  if (name === 'query') return readRegister(client, session, key)
  if (name === 'read') {
    const outcome = await client.record({ name, key }, () => read({ key }, hasty(client)), textOf)
    return outcome.kind === 'ok' ? textOf(outcome.value) : seen
  }
  if (name === 'write') {
    await client.record(
      { name, key, input: value },
      () => write({ key, value }, hasty(client)),
      () => value,
    )
    return value
  }
  const input = [seen, value]
  const swap = () => cas({ key, from: seen, to: value }, hasty(client))
  const outcome = await client.record({ name: 'cas', key, input }, swap, (swapped) => (swapped ? input : false))
  return outcome.kind === 'ok' && outcome.value ? value : seen
}

async function readRegister(client: Client, session: Session, key: string): Promise<string | null> {
  const outcome = await client.record({ name: 'read', key }, () => session.queries.register.read({ key }), textOf)
  return outcome.kind === 'ok' ? textOf(outcome.value) : null
}

async function transact(client: Client, session: Session, first: number): Promise<void> {
  const { random } = client
  const steps = Array.from({ length: random.between(1, 3) }, (_, at) => {
    const key = random.pick(LISTS)
    if (random.chance(0.5)) return { do: 'read' as const, key }
    return { do: 'append' as const, key, element: first + at * (ELEMENTS_PER_CLIENT / 10) }
  })
  const txn = (seen: readonly (readonly number[] | null)[]): HistoryValue =>
    steps.map((step, at) =>
      step.do === 'read' ? [READ, step.key, seen[at] ?? null] : [APPEND, step.key, step.element],
    )
  await client.record({ name: 'txn', input: txn([]) }, () => session.machines.lists.run(steps, hasty(client)), txn)
}

/** Values of this workload are texts. */
function textOf(value: string | Uint8Array | null): string | null {
  return typeof value === 'string' ? value : null
}
