import type { NodeId } from '../../base/brand.ts'
import { Random } from '../../base/random.ts'
import { Violation } from '../checkers/violation.ts'
import type { Mount } from '../../machine/index.ts'
import { failureOf } from '../failure-of.ts'
import { FaultyWorld, type WorkloadParts } from '../faulty-world.ts'
import type { SeedResult } from '../run-seed.ts'
import type { SimulatedNode } from '../world/simulated-node.ts'
import { type ChartCounts, ChartModel } from './chart-model.ts'
import { ChartRecorder } from './chart-recorder.ts'
import { Crowd } from './crowd.ts'
import { EffectKiller, ProcessKilled } from './effect-killer.ts'
import { chartsOf, type MountedChart, mountCharts } from './mounted-charts.ts'
import { seenText } from './seen-entity.ts'

/** Streams of the seed's randomness that this workload has besides. */
const PURPOSE = { charts: 31, crowd: 32, killer: 33 }

/** After healing charts go on for a while, then everybody leaves. In microseconds. */
const GOES_ON = 1_500_000
/** Within this time after healing all that was asked for is answered. In microseconds. */
const SETTLED_WITHIN = 240_000_000

/**
 * Clocks of leaders are up to 1,200 s apart (`swarm.ts`), and a timer that comes round every 20 ms would fire so often at
 * once: here they are 4 s apart.
 */
const OFFSET_DIVISOR = 300

/** What one seed did, and what became of timers and work. */
export interface ChartsSeedResult extends SeedResult {
  readonly charts: ChartCounts
  /** Names of the machines that ran. */
  readonly machines: readonly string[]
  /** Leaders that died at a boundary of an effect, by boundary and side. */
  readonly kills: { readonly [boundary: string]: number }
}

/**
 * One seed's world in which charts of XState run as entities of a cluster, while clients send them events at random, workers
 * answer, fail or are silent, nodes crash, and leaders die before and after each kind of effect. A model follows the log with
 * XState's own actors. Deterministic.
 */
export function runChartsSeed(seed: number, trace?: (line: string) => void): ChartsSeedResult {
  const world = new ChartsWorld(seed, trace)
  return world.result(failureOf(world, trace))
}

class ChartsWorld {
  private readonly world: FaultyWorld
  private readonly charts: readonly MountedChart[]
  private readonly killer: EffectKiller
  private readonly crowd: Crowd
  private readonly model: ChartModel
  /** Of each node's running process. */
  private readonly recorders = new Map<NodeId, ChartRecorder>()

  constructor(seed: number, trace?: (line: string) => void) {
    const generator = (purpose: keyof typeof PURPOSE): Random => new Random(seed, PURPOSE[purpose])
    this.charts = chartsOf(seed, generator('charts'))
    this.model = new ChartModel(new Map(this.charts.map(({ machine }) => [machine.id, machine])))
    this.world = new FaultyWorld(seed, () => this.parts(), { trace })
    const { cluster, swarm, sessions } = this.world
    this.crowd = new Crowd({ random: generator('crowd'), world: sessions, charts: this.charts })
    const { scheduler } = cluster
    this.killer = new EffectKiller({ random: generator('killer'), scheduler, powerLoss: swarm.powerLoss })
  }

  private parts(): WorkloadParts {
    return {
      mount: (_work, id) => this.mount(id),
      clock: ({ ratePpm, wallOffsetMs }) => ({
        ratePpm,
        wallOffsetMs: Math.round(wallOffsetMs / OFFSET_DIVISOR),
      }),
      observe: (id) => this.observer(id),
      check: (before, next, id) => this.killer.reachCommit(this.node(id), before, next),
      // The rest of that event was the dead process's.
      isHarmless: (error) => error instanceof ProcessKilled,
    }
  }

  private mount(id: NodeId): Mount {
    const recorder = new ChartRecorder()
    this.recorders.set(id, recorder)
    return mountCharts(this.charts, recorder)
  }

  private node(id: NodeId): SimulatedNode {
    const node = this.world.cluster.nodes.find((one) => one.id === id)
    if (node === undefined) throw new Violation('a node of this world', { id })
    return node
  }

  private observer(id: NodeId): ReturnType<WorkloadParts['observe']> {
    // Asked for while the cluster is made, and called from its first event on.
    const node = (): SimulatedNode => this.node(id)
    return {
      composed: ({ driver, gateway }) => {
        this.world.watch.listen(id, driver, (index) => this.applied(id, index))
        this.killer.listen(node(), driver)
        return this.killer.gateway(node(), gateway)
      },
      logOpened: (store, _recovered, done) => done(this.killer.log(node(), store)),
      persisted: () => this.killer.reach(node(), 'before', 'durable'),
      persistenceTold: () => this.killer.reach(node(), 'after', 'durable'),
      sending: (frame) => this.killer.reachSend(node(), 'before', frame),
      sent: (frame) => this.killer.reachSend(node(), 'after', frame),
    }
  }

  private applied(id: NodeId, index: number): void {
    this.model.applied(index, this.recorders.get(id)?.take() ?? [])
  }

  run(): void {
    const { world, crowd, killer } = this
    world.suffer(crowd, [world.nemesis, killer])
    killer.stop()
    const alive = world.heal()
    const { scheduler } = world.cluster
    const until = scheduler.now + GOES_ON
    world.runUntil(() => scheduler.now >= until)
    this.checkRows(alive)
    crowd.leave()
    const settled = (): boolean => crowd.quiet && world.agree(alive)
    world.runFor(SETTLED_WITHIN, settled)
    if (!settled()) throw new Violation('all is answered and applied after healing', crowd.facts())
    this.checkEnd(alive)
  }

  result(failure: string | null): ChartsSeedResult {
    return {
      ...this.world.result(failure, this.crowd.acks),
      charts: this.model.counts,
      machines: this.charts.map(({ machine }) => machine.id),
      kills: Object.fromEntries(this.killer.kills),
    }
  }

  /** What a replica tells its clients is what the model has, after restarts and snapshots too. */
  private checkRows(alive: readonly SimulatedNode[]): void {
    for (const node of alive) {
      if (node.machine?.appliedIndex !== this.model.index) continue
      for (const { machine, id, seen } of this.model.entities()) {
        const answer = node.machine.query({ machine, query: 'state', input: id, session: null })
        const { status, value, context } = (answer.kind === 'value' ? answer.value : {}) as { [name: string]: unknown }
        const found = seenText({ status, value, context })
        const expected = seenText({ status: seen.status, value: seen.value, context: seen.context })
        if (found !== expected)
          throw new Violation('a replica tells the state of the log', { node: node.id, machine, id, found, expected })
      }
    }
  }

  /** Everybody has left: no entity, timer or task is there, and every timer has fired once or was cancelled. */
  private checkEnd(alive: readonly SimulatedNode[]): void {
    for (const node of alive) {
      const { tasks = -1, timers = -1 } = node.machine?.counts ?? {}
      if (tasks !== 0 || timers !== 0)
        throw new Violation('nothing waits when all entities are gone', { node: node.id, tasks, timers })
    }
    const { timersArmed, timersFired, timersCancelled } = this.model.counts
    const entities = this.model.entities().length
    if (entities > 0 || timersArmed !== timersFired + timersCancelled)
      throw new Violation('every timer fires once or is cancelled', {
        entities,
        timersArmed,
        timersFired,
        timersCancelled,
      })
  }
}
