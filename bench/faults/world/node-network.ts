import { randomBytes } from 'node:crypto'
import type { Resources } from './resources.ts'
import { attempt, run } from './run.ts'

/** Networks of the bench are 10.213.0.0/24 to 10.213.255.0/24: the first one that this machine does not use. */
const NETWORK = '10.213'
const BRIDGE_HOST = 254
/** Of two namespaces of clients: those that stay with a leader that is cut off, and those that are cut off from it. */
const CLIENTS_HOSTS = [100, 101] as const

/**
 * A bridge with a network namespace per node and two for clients. The bridge has an address in the namespace of the bench
 * itself, so that it sees every node, whatever the nodes see of each other.
 */
export class NodeNetwork {
  private readonly tag: string
  private readonly subnet: string
  private readonly resources: Resources

  private constructor(tag: string, subnet: string, resources: Resources) {
    this.tag = tag
    this.subnet = subnet
    this.resources = resources
  }

  static async start(nodes: number, resources: Resources): Promise<NodeNetwork> {
    const used = await run('ip', ['-4', '-o', 'addr'])
    const free = Array.from({ length: 256 }, (_, third) => `${NETWORK}.${third}`).find(
      (net) => !used.includes(`${net}.`),
    )
    if (free === undefined) throw new Error('every network of the bench is in use')
    const network = new NodeNetwork(randomBytes(2).toString('hex'), free, resources)
    await network.addBridge()
    for (let at = 0; at < nodes; at += 1) await network.addNamespace(`n${at + 1}`, at + 1)
    for (const host of CLIENTS_HOSTS) await network.addNamespace(`c${host}`, host)
    return network
  }

  addressOf(at: number): string {
    return `${this.subnet}.${at + 1}`
  }

  /** Program and arguments before those of a node's process. */
  throughNode(at: number): readonly string[] {
    return ['nsenter', `--net=/run/netns/${this.namespace(`n${at + 1}`)}`]
  }

  /** The same for either half of the clients. */
  get throughClients(): readonly (readonly string[])[] {
    return CLIENTS_HOSTS.map((host) => ['nsenter', `--net=/run/netns/${this.namespace(`c${host}`)}`])
  }

  /** What one node sends the other is dropped on arrival, until `heal`. */
  async block(from: number, to: number): Promise<void> {
    await this.filter(to, ['-s', this.addressOf(from), '-j', 'DROP'])
  }

  /** What the nodes of either side send those of the other is dropped. */
  async separate(left: readonly number[], right: readonly number[]): Promise<void> {
    for (const one of left) {
      for (const other of right) {
        await this.block(one, other)
        await this.block(other, one)
      }
    }
  }

  /** Clients of the second half are turned away by a node, as by a host on which nothing listens: they look for another one. */
  async turnAway(at: number): Promise<void> {
    const source = ['-p', 'tcp', '-s', `${this.subnet}.${CLIENTS_HOSTS[1]}`]
    await this.filter(at, [...source, '-j', 'REJECT', '--reject-with', 'tcp-reset'])
  }

  /** A share of what arrives at a node is lost, from wherever but the bench. */
  async lose(at: number, share: number): Promise<void> {
    const statistic = ['-m', 'statistic', '--mode', 'random', '--probability', String(share)]
    await this.filter(at, ['!', '-s', `${this.subnet}.${BRIDGE_HOST}`, ...statistic, '-j', 'DROP'])
  }

  /** What a node may send, in kilobits per second. */
  async limitRate(at: number, kilobits: number): Promise<void> {
    const rate = ['tbf', 'rate', `${kilobits}kbit`, 'burst', '16kb', 'latency', '200ms']
    await run('tc', ['-n', this.namespace(`n${at + 1}`), 'qdisc', 'replace', 'dev', 'eth0', 'root', ...rate])
  }

  /** Every node hears every other again, as fast as it can. */
  async heal(nodes: number): Promise<void> {
    for (let at = 0; at < nodes; at += 1) {
      await attempt('ip', ['netns', 'exec', this.namespace(`n${at + 1}`), 'iptables', '-F', 'INPUT'])
      await attempt('tc', ['-n', this.namespace(`n${at + 1}`), 'qdisc', 'del', 'dev', 'eth0', 'root'])
    }
  }

  private async filter(at: number, rule: readonly string[]): Promise<void> {
    await run('ip', ['netns', 'exec', this.namespace(`n${at + 1}`), 'iptables', '-w', '-A', 'INPUT', ...rule])
  }

  private namespace(name: string): string {
    return `hf${this.tag}-${name}`
  }

  private async addBridge(): Promise<void> {
    const name = `hf${this.tag}`
    this.resources.note({ kind: 'link', name })
    await run('ip', ['link', 'add', name, 'type', 'bridge'])
    await run('ip', ['addr', 'add', `${this.subnet}.${BRIDGE_HOST}/24`, 'dev', name])
    await run('ip', ['link', 'set', name, 'up'])
  }

  private async addNamespace(name: string, host: number): Promise<void> {
    const [namespace, link] = [this.namespace(name), `hf${this.tag}v${host}`]
    this.resources.note({ kind: 'namespace', name: namespace })
    this.resources.note({ kind: 'link', name: link })
    await run('ip', ['netns', 'add', namespace])
    await run('ip', ['link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace])
    await run('ip', ['link', 'set', link, 'master', `hf${this.tag}`, 'up'])
    await run('ip', ['-n', namespace, 'addr', 'add', `${this.subnet}.${host}/24`, 'dev', 'eth0'])
    for (const device of ['lo', 'eth0']) await run('ip', ['-n', namespace, 'link', 'set', device, 'up'])
  }
}
