import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { MEMORY_GROUPS } from '../world/tools.ts'
import type { Fault, Scene } from './fault.ts'

/** A process that was killed is started again after so long at most. */
const DOWN_MS_MAX = 2_000
/** Longer than an election, and shorter than what a client waits before it looks for another leader. */
const BLINK_MS = { min: 300, max: 650 } as const
const CRASHES = 3
/** Of a slow node: stopped and running in turn. */
const SLOW_MS = { stopped: 40, running: 10 } as const

/** What a node with little memory may take beyond what it has. */
const LITTLE_BYTES = 2 * 1024 * 1024
/** A group that its last process has left can be removed after this long. */
const LEAVE_MS = 200

const downMs = ({ holdMs }: Scene): number => Math.min(DOWN_MS_MAX, holdMs)

async function killed(scene: Scene, at: number): Promise<void> {
  const seat = scene.world.seat(at)
  await seat.kill()
  await scene.wait(downMs(scene))
  await seat.start()
}

async function stopped(scene: Scene, at: number, ms: number): Promise<void> {
  const seat = scene.world.seat(at)
  seat.signal('SIGSTOP')
  await scene.wait(ms).finally(() => seat.signal('SIGCONT'))
}

/** Faults of processes, which need no tool. */
export const PROCESS_FAULTS: readonly Fault[] = [
  {
    name: 'kill-leader',
    says: 'the leader is killed and started again',
    needs: [],
    run: async (scene) => killed(scene, await scene.leader()),
  },
  {
    name: 'kill-follower',
    says: 'a follower is killed and started again',
    needs: [],
    run: async (scene) => killed(scene, await scene.follower()),
  },
  {
    name: 'kill-all',
    says: 'all nodes are killed in one turn and started again',
    needs: [],
    run: async ({ world, starting }) => {
      await Promise.all(world.seats.map((seat) => seat.kill()))
      starting()
      await world.revive()
    },
  },
  {
    name: 'quick-crashes',
    says: 'whoever leads is killed, three times in succession, each as soon as there is a leader',
    needs: [],
    run: async (scene) => {
      for (let crash = 0; crash < CRASHES; crash += 1) {
        const seat = scene.world.seat(await scene.leader())
        await seat.kill()
        await seat.start()
      }
    },
  },
  {
    name: 'pause-leader',
    says: 'the leader is stopped (SIGSTOP) and goes on',
    needs: [],
    run: async (scene) => stopped(scene, await scene.leader(), scene.holdMs),
  },
  {
    name: 'blink-leader',
    says: 'leaders are stopped again and again, for little more than an election takes',
    needs: [],
    run: async (scene) => {
      for (let left = scene.holdMs; left > 0; ) {
        const ms = scene.random.between(BLINK_MS.min, BLINK_MS.max)
        await stopped(scene, await scene.leader(), ms)
        await scene.wait(ms)
        left -= 2 * ms
      }
    },
  },
  {
    name: 'slow-follower',
    says: 'a follower gets a fifth of its processor time',
    needs: [],
    run: async (scene) => {
      const seat = scene.world.seat(await scene.follower())
      const end = performance.now() + scene.holdMs
      while (performance.now() < end) {
        seat.signal('SIGSTOP')
        await pause(SLOW_MS.stopped)
        seat.signal('SIGCONT')
        await pause(SLOW_MS.running)
      }
    },
  },
  {
    name: 'stop-leader',
    says: 'the leader is asked to end (SIGTERM) and started again',
    needs: [],
    run: async (scene) => {
      const seat = scene.world.seat(await scene.leader())
      await seat.stop()
      await seat.start()
    },
  },
  {
    name: 'rolling-restart',
    says: 'each node in turn is asked to end (SIGTERM) and started again',
    needs: [],
    run: async ({ world }) => {
      for (const seat of world.seats) {
        await seat.stop()
        await seat.start()
      }
    },
  },
  {
    name: 'memory-limit',
    says: "the leader's control group may have no more memory than it has now",
    needs: ['memory cgroup'],
    run: limitMemory,
  },
]

/** Memory that it has already does not count in the group: what it takes from now on does, and there is little of it. */
async function limitMemory(scene: Scene): Promise<void> {
  const seat = scene.world.seat(await scene.leader())
  const group = `${MEMORY_GROUPS}/holdfast-faults-${process.pid}-${seat.place.id}`
  scene.resources.note({ kind: 'group', path: group })
  mkdirSync(group, { recursive: true })
  try {
    writeFileSync(`${group}/memory.limit_in_bytes`, String(LITTLE_BYTES))
    seat.mayEnd()
    writeFileSync(`${group}/cgroup.procs`, String(seat.pid ?? 0))
    await scene.wait(scene.holdMs)
    const failures = readFileSync(`${group}/memory.failcnt`, 'utf8').trim()
    scene.say(`memory: ${failures} requests above the limit, the node ${seat.pid === null ? 'was killed' : 'lives'}`)
  } finally {
    writeFileSync(`${group}/memory.limit_in_bytes`, '-1')
    if (seat.pid !== null) writeFileSync(`${MEMORY_GROUPS}/cgroup.procs`, String(seat.pid))
    await pause(LEAVE_MS)
    rmdirSync(group)
  }
}
