import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Random } from '../../../src/base/random.ts'
import { transferLeadership } from '../../../src/client/operator/leader.ts'
import { changeMembership, fetchMembers, type MemberList } from '../../../src/client/operator/members.ts'
import { agreement, eventually, leaderAmong } from '../../agreement.ts'
import type { FaultWorld } from '../world/fault-world.ts'
import type { Resources } from '../world/resources.ts'
import type { Scene } from './fault.ts'

/** What a scene on Holdfast is made of. */
export interface SceneOptions {
  readonly world: FaultWorld
  readonly random: Random
  readonly holdMs: number
  readonly resources: Resources
  readonly ended: AbortSignal
  readonly say: (line: string) => void
  readonly starting: () => void
}

/** A scene whose nodes are Holdfast's. */
export function holdfastScene({ ended, ...options }: SceneOptions): Scene {
  const { world, random } = options
  const leader = async (): Promise<number> => {
    const { id } = await leaderAmong(world.endpoints)
    return world.seats.findIndex(({ place }) => place.id === id)
  }
  return {
    ...options,
    leader,
    follower: async () => random.pick(world.others(await leader())),
    transfer: async () => void (await transferLeadership(world.endpoints)),
    replace: (at) => replaced(world, world.seat(at).place.id),
    logOf: ({ dataDirectory }) => join(dataDirectory, 'group-0', 'log'),
    agreed: async () => {
      await world.revive()
      const { commitIndex } = await leaderAmong(world.endpoints)
      await agreement(world.endpoints, commitIndex)
    },
    wait: (ms) => pause(ms, undefined, { signal: ended }),
  }
}

/** Resolves once the change is over: the node, which waits on an empty disk, is a voter again. */
async function replaced(world: FaultWorld, id: string): Promise<void> {
  const listed = (what: string, seen: (list: MemberList) => boolean): Promise<true> =>
    eventually(what, async () => {
      const list = await fetchMembers(world.endpoints).catch(() => null)
      return list !== null && seen(list) ? true : null
    })
  const rolesOf = ({ members }: MemberList): string[] =>
    members.filter((line) => line.id === id).map(({ role }) => role)
  await listed(`${id} waits on its empty disk`, (list) => rolesOf(list).includes('waiting'))
  await eventually(`${id} is replaced`, async () => {
    const change = { change: 'replace', id, learner: false, basedOn: 0 } as const
    return changeMembership(world.endpoints, change).catch(() => null)
  })
  await listed(`${id} votes again`, (list) => rolesOf(list).join() === 'voter' && list.committed && !list.joint)
}
