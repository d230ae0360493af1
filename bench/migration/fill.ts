import { connect } from '../../src/client/index.ts'

const SESSIONS = 8
/** Creations that one session has under way. */
const IN_FLIGHT = 64

/** Makes that many instances of `order`, through clients as any other. */
export async function fill(endpoints: readonly string[], instances: number): Promise<void> {
  let made = 0
  const next = (): number | null => {
    made += 1
    return made > instances ? null : made
  }
  await Promise.all(Array.from({ length: SESSIONS }, (_, at) => fillAs(endpoints, `user:maker-${at}`, next)))
}

async function fillAs(endpoints: readonly string[], principal: string, next: () => number | null): Promise<void> {
  const session = await connect({ endpoints, principal, deadlineMs: 120_000, connectDeadlineMs: 120_000 })
  const lane = async (): Promise<void> => {
    for (let at = next(); at !== null; at = next()) {
      const outcome = await session.execute('order', 'create', { id: idOf(at) })
      if (outcome.kind !== 'ok') throw new Error(`an instance was not made: ${JSON.stringify(outcome)}`)
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane))
  await session.close()
}

/** Numbers of one width, so that the order of ids is that of numbers. */
export const idOf = (at: number): string => `order-${String(at).padStart(7, '0')}`
