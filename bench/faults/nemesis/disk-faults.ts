import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, fstatSync, openSync, readdirSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Fault, Scene } from './fault.ts'

/** A node whose disk fails ends by itself; one that does not within so long goes on. */
const END_MS_MAX = 5_000
const LOSSES = 3

/** The power of these nodes goes in one turn and comes back: what was not synced is gone. `meanwhile`: before they start. */
async function powerLoss(
  scene: Scene,
  places: readonly number[],
  meanwhile: () => void = () => undefined,
): Promise<void> {
  const { world } = scene
  // Stopped first, so that nothing happens between the loss of one node and that of another, or of a node and its disk.
  for (const at of places) world.seat(at).signal('SIGSTOP')
  await Promise.all(places.map((at) => world.disk(at).losePower()))
  await Promise.all(places.map((at) => world.seat(at).kill()))
  await Promise.all(places.map((at) => world.disk(at).restorePower()))
  meanwhile()
  scene.starting()
  await Promise.all(places.map((at) => world.seat(at).start()))
}

const everywhere = ({ world }: Scene): number[] => world.seats.map((_, at) => at)

async function endedWithin(scene: Scene, at: number): Promise<boolean> {
  const ended = scene.world
    .seat(at)
    .ended()
    .then(() => true)
  return Promise.race([ended, scene.wait(END_MS_MAX).then(() => false)])
}

/** Faults of a node's disk. */
export const DISK_FAULTS: readonly Fault[] = [
  {
    name: 'power-loss-leader',
    says: 'the leader loses its power, and with it what it had not synced',
    needs: ['xfs'],
    run: async (scene) => powerLoss(scene, [await scene.leader()]),
  },
  {
    name: 'power-loss-all',
    says: 'all nodes lose their power in one turn, and with it what they had not synced',
    needs: ['xfs'],
    run: (scene) => powerLoss(scene, everywhere(scene)),
  },
  {
    name: 'quick-power-losses',
    says: 'whoever leads loses its power, three times in succession, each as soon as there is a leader',
    needs: ['xfs'],
    run: async (scene) => {
      for (let loss = 0; loss < LOSSES; loss += 1) await powerLoss(scene, [await scene.leader()])
    },
  },
  {
    name: 'rot-and-power-loss',
    says: "all nodes lose their power in one turn, and one bit of a follower's log turns before they start again",
    needs: ['xfs'],
    run: async (scene) => {
      const { place } = scene.world.seat(await scene.follower())
      const rot = (): void => scene.say(`bit rot: ${rotten(scene, scene.logOf(place))}`)
      await powerLoss(scene, everywhere(scene), rot)
    },
  },
  {
    name: 'disk-stall',
    says: "the leader's disk takes no write (fsfreeze), and goes on",
    needs: ['xfs'],
    run: async (scene) => {
      const disk = scene.world.disk(await scene.leader())
      await disk.freeze()
      await scene.wait(scene.holdMs).finally(() => disk.thaw())
    },
  },
  {
    name: 'disk-full',
    says: "the leader's disk is full, and has room again",
    needs: ['xfs'],
    run: async (scene) => {
      const leader = await scene.leader()
      const [seat, disk] = [scene.world.seat(leader), scene.world.disk(leader)]
      seat.mayEnd()
      await disk.fill()
      await scene.wait(scene.holdMs).finally(() => disk.makeRoom())
      scene.say(`disk full: the node ${seat.pid === null ? 'ended' : 'went on with the room it had'}`)
    },
  },
  {
    name: 'fsync-error',
    says: "the leader's next fdatasync fails (EIO)",
    needs: ['strace'],
    run: failSync,
  },
  {
    name: 'bit-rot',
    says: "a follower is killed, and one bit in the newest half of its log's bytes turns before it starts again",
    needs: [],
    run: async (scene) => {
      const at = await scene.follower()
      const seat = scene.world.seat(at)
      await seat.kill()
      scene.say(`bit rot: ${rotten(scene, scene.logOf(seat.place))}`)
      await seat.start()
    },
  },
]

async function failSync(scene: Scene): Promise<void> {
  const at = await scene.leader()
  const seat = scene.world.seat(at)
  seat.mayEnd()
  // It counts calls per thread, so the first one of each thread fails: the node has to end at the first of all.
  const inject = ['-e', 'trace=fdatasync', '-e', 'inject=fdatasync:error=EIO:when=1']
  const strace = spawn('strace', ['-f', '-q', '-o', '/dev/null', ...inject, '-p', String(seat.pid)], {
    stdio: 'ignore',
  })
  const gone = once(strace, 'exit')
  const ended = await endedWithin(scene, at)
  scene.say(`fsync error: the node ${ended ? 'ended' : 'WENT ON after a failed sync'}`)
  strace.kill('SIGINT')
  await gone
}

/** Turns one bit of a record of the log; says where. */
function rotten({ random }: Scene, directory: string): string {
  const segments = existsSync(directory) ? readdirSync(directory).filter((name) => name.endsWith('.wal')) : []
  const name = segments.toSorted().findLast((segment) => lastByte(join(directory, segment)) > 0)
  if (name === undefined) return 'there is no log'
  const path = join(directory, name)
  const last = lastByte(path)
  const at = random.between(Math.floor(last / 2), last)
  const file = openSync(path, 'r+')
  try {
    const byte = Buffer.alloc(1)
    readSync(file, byte, 0, 1, at)
    byte[0] = (byte[0] ?? 0) ^ (1 << random.below(8))
    writeSync(file, byte, 0, 1, at)
  } finally {
    closeSync(file)
  }
  return `byte ${at} of ${name}, of ${last}`
}

/** Where its bytes end: segments are longer than what is in them, and zero there. */
function lastByte(path: string): number {
  const file = openSync(path, 'r')
  try {
    const bytes = Buffer.alloc(fstatSync(file).size)
    readSync(file, bytes, 0, bytes.length, 0)
    return bytes.findLastIndex((byte) => byte !== 0)
  } finally {
    closeSync(file)
  }
}
