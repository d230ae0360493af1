import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Fault } from './fault.ts'

const BETWEEN_TRANSFERS_MS = 400

/** What operators do, and what only they can mend. */
export const OPERATOR_FAULTS: readonly Fault[] = [
  {
    name: 'transfer-leader',
    says: 'the leader hands its office over',
    needs: [],
    run: async (scene) => {
      await scene.transfer()
      await scene.wait(scene.holdMs)
    },
  },
  {
    name: 'transfer-churn',
    says: 'the office is handed over again and again',
    needs: [],
    run: async (scene) => {
      const end = performance.now() + scene.holdMs
      while (performance.now() < end) {
        // One that is under way, or that nobody takes, is refused.
        await scene.transfer().catch(() => undefined)
        await scene.wait(BETWEEN_TRANSFERS_MS)
      }
    },
  },
  {
    name: 'wiped-follower',
    says: 'a follower loses all its files, and is replaced by itself on an empty disk',
    needs: [],
    run: async (scene) => {
      const at = await scene.follower()
      const seat = scene.world.seat(at)
      await seat.kill()
      emptied(seat.place.dataDirectory)
      await seat.start()
      await scene.replace(at)
    },
  },
  {
    name: 'member-churn',
    says: 'a follower and then the leader are taken out of the members, and come back on empty disks',
    needs: [],
    run: async (scene) => {
      for (const choose of [scene.follower, scene.leader]) {
        const at = await choose()
        await scene.remove(at)
        const seat = scene.world.seat(at)
        await seat.kill()
        emptied(seat.place.dataDirectory)
        await seat.start()
        await scene.add(at)
      }
    },
  },
]

function emptied(directory: string): void {
  for (const name of readdirSync(directory)) rmSync(join(directory, name), { recursive: true, force: true })
}
