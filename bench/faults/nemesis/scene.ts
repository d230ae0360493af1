import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Random } from '../../../src/base/random.ts'
import { transferLeadership } from '../../../src/client/operator/leader.ts'
import {
  changeMembership,
  fetchMembers,
  type MemberList,
  type WantedChange,
} from '../../../src/client/operator/members.ts'
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
    replace: (at) => comesBack(world, world.seat(at).place.id, 'replace'),
    remove: (at) => removed(world, world.seat(at).place.id),
    add: (at) => comesBack(world, world.seat(at).place.id, 'add'),
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
async function comesBack(world: FaultWorld, id: string, change: 'replace' | 'add'): Promise<void> {
  await listed(world, `${id} waits on its empty disk`, (list) => rolesOf(list, id).includes('waiting'))
  await changed(world, { change, id })
  await listed(world, `${id} votes again`, (list) => rolesOf(list, id).join() === 'voter' && settled(list))
}

async function removed(world: FaultWorld, id: string): Promise<void> {
  await changed(world, { change: 'remove', id })
  await listed(world, `${id} is no member`, (list) => !rolesOf(list, id).includes('voter') && settled(list))
}

/** Whoever leads may not take it for a moment. */
function changed(world: FaultWorld, wanted: Pick<WantedChange, 'change' | 'id'>): Promise<unknown> {
  const change = { ...wanted, learner: false, basedOn: 0 }
  return eventually(`${wanted.change} of ${wanted.id}`, () =>
    changeMembership(world.endpoints, change).catch(() => null),
  )
}

function listed(world: FaultWorld, what: string, seen: (list: MemberList) => boolean): Promise<true> {
  return eventually(what, async () => {
    const list = await fetchMembers(world.endpoints).catch(() => null)
    return list !== null && seen(list) ? true : null
  })
}

const settled = ({ committed, joint }: MemberList): boolean => committed && !joint

function rolesOf({ members }: MemberList, id: string): string[] {
  return members.filter((line) => line.id === id).map(({ role }) => role)
}
