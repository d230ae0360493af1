import type { NodeNetwork } from '../world/node-network.ts'
import type { Fault, Scene } from './fault.ts'

const LOST_SHARE = 0.3
const SLOW_KILOBITS = 256
/** Longer than an election. */
const FLAP_MS = 800

/** A leader that does not know that it is none is asked by some clients, while others write to the next one. */
async function isolated({ world }: Scene, network: NodeNetwork, leader: number): Promise<void> {
  await network.separate([leader], world.others(leader))
  await network.turnAway(leader)
}

/** The network of the world, while a fault of it holds; healed afterwards. */
async function held(scene: Scene, cut: (network: NodeNetwork) => Promise<void>): Promise<void> {
  const { network, seats } = scene.world
  if (network === null) throw new Error('this fault needs a network per node')
  try {
    await cut(network)
    await scene.wait(scene.holdMs)
  } finally {
    await network.heal(seats.length)
  }
}

/** Faults of the network. */
export const NETWORK_FAULTS: readonly Fault[] = [
  {
    name: 'deaf-leader',
    says: 'nothing that other nodes send reaches the leader, which they go on hearing',
    needs: [],
    run: async (scene) => {
      await scene.world.deafen(await scene.leader())
      await scene.wait(scene.holdMs).finally(() => scene.world.heal())
    },
  },
  {
    name: 'mute-leader',
    says: 'nothing that the leader sends reaches other nodes, which it goes on hearing',
    needs: ['namespaces', 'iptables'],
    run: async (scene) => {
      const leader = await scene.leader()
      await held(scene, async (network) => {
        for (const other of scene.world.others(leader)) await network.block(leader, other)
      })
    },
  },
  {
    name: 'cut-leader',
    says: 'the leader and half of the clients are separated from the other nodes; the other half reaches those alone',
    needs: ['namespaces', 'iptables'],
    run: async (scene) => {
      const leader = await scene.leader()
      await held(scene, (network) => isolated(scene, network, leader))
    },
  },
  {
    name: 'cut-follower',
    says: 'a follower and the other nodes are separated',
    needs: ['namespaces', 'iptables'],
    run: async (scene) => {
      const follower = await scene.follower()
      await held(scene, (network) => network.separate([follower], scene.world.others(follower)))
    },
  },
  {
    name: 'bridge',
    says: 'the leader and one follower do not reach each other; the third node reaches both',
    needs: ['namespaces', 'iptables'],
    run: async (scene) => {
      const leader = await scene.leader()
      const [other = leader] = scene.world.others(leader)
      await held(scene, (network) => network.separate([leader], [other]))
    },
  },
  {
    name: 'flapping',
    says: 'whoever leads is separated from the others for less than a second, again and again',
    needs: ['namespaces', 'iptables'],
    run: async (scene) => {
      for (let left = scene.holdMs; left > 0; left -= 2 * FLAP_MS) {
        const leader = await scene.leader()
        await held({ ...scene, holdMs: FLAP_MS }, (network) => isolated(scene, network, leader))
        await scene.wait(FLAP_MS)
      }
    },
  },
  {
    name: 'loss',
    says: 'of what arrives at the leader, three tenths are lost',
    needs: ['namespaces', 'iptables'],
    run: async (scene) => {
      const leader = await scene.leader()
      await held(scene, (network) => network.lose(leader, LOST_SHARE))
    },
  },
  {
    name: 'slow-link',
    says: `the leader may send ${SLOW_KILOBITS} kilobits per second`,
    needs: ['namespaces', 'tc'],
    run: async (scene) => {
      const leader = await scene.leader()
      await held(scene, (network) => network.limitRate(leader, SLOW_KILOBITS))
    },
  },
]
