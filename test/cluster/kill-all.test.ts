import { beforeAll, expect, test } from 'vitest'
import { agreement } from '../../bench/agreement.ts'
import { embeddedProcess } from './embedded-process.ts'
import { compileOnce, killAll, readerOf, realCluster, startAll } from './processes.ts'
import { Writers } from './writers.ts'

beforeAll(compileOnce)

/** Many processes start one after another: seconds on an idle machine, minutes on a busy one. */
const TIMEOUT_MS = 180_000

test(
  'kill -9 of all three nodes at once loses nothing acknowledged and applies nothing twice',
  async () => {
    const cluster = await realCluster()
    const { endpoints } = cluster
    const patient = await Writers.start({ endpoints, name: 'patient', sessions: 40 })
    const busy = await Writers.start({ endpoints, name: 'busy', sessions: 4, inFlight: 16 })
    const leaving = await Writers.start({ endpoints, name: 'leaving', sessions: 20 })
    await Promise.all([patient.more(600), busy.more(600), leaving.more(300)])
    const gone = killAll(cluster)
    // This client never asks again: only what it heard binds the cluster.
    leaving.drop()
    await gone
    const before = patient.acknowledged + busy.acknowledged
    await startAll(cluster)
    await Promise.all([patient.more(200), busy.more(200)])
    await Promise.all([patient.stop(), busy.stop()])
    expect(patient.acknowledged + busy.acknowledged).toBeGreaterThan(before)
    const reader = await readerOf(endpoints)
    await patient.expectExactlyOnce(reader)
    await busy.expectExactlyOnce(reader)
    await leaving.expectNothingLost(reader)
    await reader.close()
    await agreement(endpoints)
  },
  TIMEOUT_MS,
)

test(
  'kill -9 of an embedded node loses nothing acknowledged and applies nothing twice',
  async () => {
    const first = await embeddedProcess()
    const endpoints = [first.address]
    const patient = await Writers.start({ endpoints, name: 'patient', sessions: 20 })
    const leaving = await Writers.start({ endpoints, name: 'leaving', sessions: 10 })
    await Promise.all([patient.more(400), leaving.more(200)])
    const gone = first.kill()
    leaving.drop()
    await gone
    await first.startAgain()
    await patient.more(200)
    await patient.stop()
    const reader = await readerOf(endpoints)
    await patient.expectExactlyOnce(reader)
    await leaving.expectNothingLost(reader)
    await reader.close()
  },
  TIMEOUT_MS,
)
