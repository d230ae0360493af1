import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { faketimeLibrary } from '../world/tools.ts'
import type { Fault, Scene } from './fault.ts'

const TRANSFERS_MAX = 10

/**
 * A node's wall clock follows a file. The library can be given to a process at its start alone, so the node is started with it,
 * and has to become leader again before its clock says anything else. The monotonic clock is left alone: with it, timers would
 * run at another speed as well, which is another fault.
 */
async function withClock(scene: Scene, said: readonly string[]): Promise<void> {
  const library = faketimeLibrary()
  if (library === null) throw new Error('this fault needs libfaketime')
  const at = await scene.leader()
  const seat = scene.world.seat(at)
  const file = join(scene.resources.directory, `clock-${seat.place.id}`)
  writeFileSync(file, '+0\n')
  await seat.stop()
  await seat.start({
    LD_PRELOAD: library,
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    DONT_FAKE_MONOTONIC: '1',
    FAKETIME_CACHE_DURATION: '1',
  })
  for (let tries = 0; tries < TRANSFERS_MAX && (await scene.leader()) !== at; tries += 1) {
    await scene.transfer().catch(() => undefined)
    await scene.wait(200)
  }
  for (const clock of said) {
    writeFileSync(file, `${clock}\n`)
    await scene.wait(scene.holdMs / said.length)
  }
  await seat.stop()
  await seat.start()
}

/** Faults of a node's wall clock. */
export const CLOCK_FAULTS: readonly Fault[] = [
  {
    name: 'clock-jumps',
    says: "the leader's wall clock jumps ten minutes ahead, and then ten minutes behind",
    needs: ['faketime'],
    run: (scene) => withClock(scene, ['+600', '-600']),
  },
  {
    name: 'clock-rate',
    says: "the leader's wall clock runs at half speed, and then at twice its speed",
    needs: ['faketime'],
    run: (scene) => withClock(scene, ['+0 x0.5', '+0 x2.0']),
  },
]
