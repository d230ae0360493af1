import type { LocalCluster } from '../src/cli/cluster/local-cluster.ts'
import { dialGrpc, nodeEnvironment } from '../src/client/index.ts'
import { MultiSession } from '../src/client/session/multi-session.ts'

/**
 * Ends leaders with `kill -9` (faults.md §5), as often as asked, and starts each again on its data at once. It learns who
 * leads from a connection of its own, so a kill hits the very turn in which it is asked for, unless an election is going on.
 */
export class LeaderKiller {
  kills = 0
  private readonly cluster: LocalCluster
  private readonly hub: MultiSession
  private leader: string | null = null
  private due = 0
  private readonly restarts: Promise<unknown>[] = []
  private idle: (() => void)[] = []

  constructor(cluster: LocalCluster) {
    this.cluster = cluster
    this.hub = new MultiSession({
      environment: nodeEnvironment(dialGrpc),
      endpoints: cluster.endpoints,
      onLeader: (leader) => {
        this.leader = leader
        this.killDue()
      },
    })
  }

  /** Kills the leader now, or the next one as soon as it leads. */
  killLeader(): void {
    this.due += 1
    this.killDue()
  }

  /** Resolves when nothing is left to kill and every node that was killed listens again. */
  async settled(): Promise<void> {
    if (this.due > 0) await new Promise<void>((resolve) => this.idle.push(resolve))
    await Promise.all(this.restarts)
  }

  close(): void {
    this.hub.close()
  }

  private killDue(): void {
    const member = this.cluster.members.find(({ id }) => id === this.leader)
    if (this.due === 0 || member === undefined || this.cluster.process(member.id) === null) return
    // A leader dies once; the next kill waits for the next leader.
    this.leader = null
    this.due -= 1
    this.kills += 1
    const restart = this.cluster.kill(member.id).then(() => this.cluster.startNode(member.id))
    // Seen by `settled`; until then a failed start must not end the process.
    restart.catch(() => undefined)
    this.restarts.push(restart)
    if (this.due > 0) return
    for (const resolve of this.idle.splice(0)) resolve()
  }
}
