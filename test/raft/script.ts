import { assert } from '../../src/base/assert.ts'
import { logIndex, nodeId } from '../../src/base/brand.ts'
import {
  type Configuration,
  describeConfiguration,
  describeLog,
  describeMessage,
  describeState,
  type RaftConfig,
} from '../../src/raft/index.ts'
import { Cluster } from './cluster.ts'
import { damage, type Packet, type TestNode } from './test-node.ts'

/**
 * Runs a golden script (raft.md §6): lines that begin with `>` are commands, indented lines are the transcript, all else is
 * prose. The result is the script with the transcript that the core produces now.
 *
 * nodes n1 n2 n3 [option=value]   a new cluster; options of RaftConfig, `on` and `off`, and seed
 * given n1 log 1 1 2 term 3       log terms and current term of a node before the start; entry 1 is the Configuration
 * start [unbootstrapped]          opens all nodes
 * clock n1 0.9                    before the start: its clock goes 0.9 ms in one
 * lease n1 300 100 · lease n1 off  leases of 300 ms are wanted, with clocks within 100 thousandths · none
 * bootstrap n1                    the bootstrap handshake of one node
 * transfer n1 [n2] · stall n1 [off]  hand leadership over (to n2) · its disk hangs, or no longer
 * unreachable n1 n2               n1 hears that the process of n2 is gone
 * reachable n1 n2                 n1 hears that its connection to n2 is open
 * campaign n1 · tick n1           an election now · its timer
 * halt n1 · resume n1             it serves nobody any more · it serves again
 * elect n1                        an election that n1 wins, in one line
 * propose n1 [count [bytes]]      entries at a node
 * read n1                         a read arrives at a node; its id is the next one of the script
 * deliver [n1] [n2]               what is under way now, from n1, to n2
 * drop [n1] [n2] · duplicate …    the same, lost · delivered, and left under way
 * stabilize · wait 300            deliver until all is quiet · let ms pass too (heartbeats are not printed)
 * pass 50                         let ms pass while nothing moves
 * partition n1 | n2 n3 · cut n1 n2 · heal
 * hold-disk n1 · persist n1 [2] · release-disk n1
 * crash n1 · restart n1
 * damage n1 3 · wipe n1 3         its disk lost all entries above 3 · and its newest write, with term and vote
 * lose 3                          what was committed above 3 is on no disk any more: the checks let it go
 * compact n1 3 · install n1 n2 5   the log lets entries up to 3 go · n1 has pulled the snapshot of n2 that ends at 5
 * switch n1 n2 5                  the same, and the process of n1 dies before its core hears of it
 * status · log · network          what nodes know · hold · what is under way
 * join n4                         a node with an empty disk, no member yet; under the id of another one, its disk is lost
 * change n1 voters n1 n2 [learners n3] [promoting n3] [based 5]   other members are wanted of a node
 * members                         the configuration that each node goes by, and where it stands
 */
export function runScript(text: string): string {
  const script = new Script()
  const lines: string[] = []
  for (const line of text.split('\n')) {
    if (line.startsWith('  ')) continue
    lines.push(line)
    if (line.startsWith('>')) lines.push(...script.run(line.slice(1).trim()).map((output) => `  ${output}`))
  }
  return lines.join('\n')
}

class Script {
  private readonly output: string[] = []
  private current: Cluster | null = null
  private heartbeatsPrinted = true

  run(command: string): readonly string[] {
    this.output.length = 0
    const [verb, ...words] = command.split(/\s+/)
    try {
      this.carryOut(verb ?? '', words)
    } catch (error) {
      this.output.push(`failed: ${error instanceof Error ? error.message : String(error)}`)
    }
    return [...this.output]
  }

  private get cluster(): Cluster {
    assert(this.current !== null, 'a script begins with `nodes`')
    return this.current
  }

  private carryOut(verb: string, words: readonly string[]): void {
    const [first = '', second = '', third = ''] = words
    switch (verb) {
      case 'nodes':
        return this.create(words)
      case 'given':
        return this.given(words)
      case 'start':
        return this.cluster.start(first !== 'unbootstrapped')
      case 'clock':
        this.cluster.node(first).rate = Number(second)
        return
      case 'lease': {
        const lease = second === 'off' ? null : { ms: Number(second), driftPermille: Number(third) }
        return void this.cluster.step(first, { kind: 'setLease', lease })
      }
      case 'bootstrap':
        return void this.cluster.step(first, {
          kind: 'bootstrapped',
          configuration: this.cluster.configuration,
          advances: false,
        })
      case 'campaign':
      case 'tick':
        return void this.cluster.step(first, { kind: verb })
      case 'halt':
        return void this.cluster.step(first, { kind: 'halted' })
      case 'resume':
        return void this.cluster.step(first, { kind: 'resumed' })
      case 'transfer':
        return void this.cluster.step(first, { kind: 'transfer', to: second === '' ? null : nodeId(second) })
      case 'stall':
        return void this.cluster.step(first, { kind: 'stalled', stalled: second !== 'off' })
      case 'reachable':
        return void this.cluster.step(first, { kind: 'reachable', peer: nodeId(second) })
      case 'unreachable':
        return void this.cluster.step(first, { kind: 'unreachable', peer: nodeId(second) })
      case 'elect':
        return this.elect(first)
      case 'pass':
        this.cluster.now += Number(first)
        return
      case 'propose':
        return void this.cluster.propose(first, Number(second || 1), Number(third || 100))
      case 'read':
        return this.cluster.read(first)
      case 'deliver':
      case 'drop':
      case 'duplicate':
        return this.network(verb, words)
      case 'stabilize':
        return this.cluster.stabilize()
      case 'wait':
        return this.wait(Number(first))
      case 'partition':
        return this.partition(words)
      case 'cut':
        return this.cluster.cut(first, second)
      case 'heal':
        return this.cluster.heal()
      case 'install':
        return this.cluster.install(first, second, Number(third))
      case 'damage':
      case 'wipe':
        return damage(this.cluster.node(first), Number(second), verb === 'damage')
      case 'lose':
        return this.cluster.safety.lose(Number(first))
      case 'switch':
        this.cluster.install(first, second, Number(third), false)
        return this.cluster.crash(first)
      case 'join':
        return this.cluster.join(first)
      case 'change':
        return this.change(words)
      default:
        return this.node(verb, first, second)
    }
  }

  private node(verb: string, id: string, argument: string): void {
    switch (verb) {
      case 'hold-disk':
        this.cluster.node(id).diskHeld = true
        return
      case 'persist':
        return this.cluster.completeWrites(id, argument === '' ? undefined : Number(argument))
      case 'release-disk':
        this.cluster.completeWrites(id)
        this.cluster.node(id).diskHeld = false
        return
      case 'crash':
        return this.cluster.crash(id)
      case 'restart':
        return this.cluster.restart(id)
      case 'compact':
        return void this.cluster.step(id, { kind: 'snapshotted', index: logIndex(Number(argument)) })
      case 'status':
        return this.eachNode((node) => (node.up ? describeState(node.state) : `${node.id} down`))
      case 'log':
        return this.eachNode((node) => `${node.id} ${node.up ? describeLog(node.state) : 'down'}`)
      case 'members':
        return this.eachNode(membersOf)
      case 'network':
        for (const packet of this.cluster.packets) this.output.push(describePacket(packet))
        return
      default:
        assert(false, 'a verb of the script language', { verb })
    }
  }

  private change([id = '', ...words]: readonly string[]): void {
    const lists: { [name: string]: string[] } = {}
    for (const word of words) {
      const newest = Object.keys(lists).at(-1)
      if (/^[a-z-]+$/.test(word) || newest === undefined) lists[word] = []
      else lists[newest]?.push(word)
    }
    const { based, ...wanted } = lists
    const basedOn = based === undefined ? undefined : logIndex(Number(based[0]))
    this.cluster.change(id, wanted as Partial<Configuration>, basedOn)
  }

  private elect(id: string): void {
    this.cluster.step(id, { kind: 'campaign' })
    this.cluster.stabilize()
    const { role, currentTerm, commitIndex } = this.cluster.state(id)
    this.output.length = 0
    this.output.push(`${id} is ${role.kind} in term ${currentTerm}, commit ${commitIndex}`)
  }

  private create(words: readonly string[]): void {
    const options = Object.fromEntries(words.filter((word) => word.includes('=')).map((word) => word.split('=')))
    const { seed, ...rest } = options
    const config: Record<string, number | boolean> = {}
    for (const [name, value] of Object.entries(rest))
      config[name] = value === 'on' || (value === 'off' ? false : Number(value))
    const ids = words.filter((word) => !word.includes('='))
    const trace = (line: string): void => this.print(line)
    this.current = new Cluster(ids, { config: config as Partial<RaftConfig>, seed: Number(seed ?? 1), trace })
  }

  private given(words: readonly string[]): void {
    const at = words.indexOf('term')
    const terms = words.slice(2, at).map(Number)
    const votedFor = words[words.indexOf('vote') + 1]
    const currentTerm = Number(words[at + 1])
    const hardState = words.includes('vote') && votedFor !== undefined ? { currentTerm, votedFor } : { currentTerm }
    this.cluster.setLog(words[0] ?? '', terms, hardState)
  }

  private network(verb: 'deliver' | 'drop' | 'duplicate', [from, to]: readonly string[]): void {
    const chosen = (packet: Packet): boolean =>
      (from === undefined || packet.from === from) && (to === undefined || packet.to === to)
    for (const packet of this.cluster.packets.filter(chosen)) {
      if (verb === 'drop') {
        this.cluster.packets.splice(this.cluster.packets.indexOf(packet), 1)
        this.print(`lost: ${describePacket(packet)}`)
      } else this.cluster.deliver(packet, { copy: verb === 'duplicate' })
    }
  }

  private partition(words: readonly string[]): void {
    const groups = words
      .join(' ')
      .split('|')
      .map((group) => group.trim().split(' '))
    for (const group of groups) {
      for (const other of groups) {
        if (group === other) continue
        for (const from of group) for (const to of other) this.cluster.cut(from, to)
      }
    }
  }

  private wait(ms: number): void {
    this.heartbeatsPrinted = false
    this.cluster.advance(ms)
    this.heartbeatsPrinted = true
  }

  private eachNode(describe: (node: ReturnType<Cluster['node']>) => string): void {
    for (const node of this.cluster.nodes.values()) this.output.push(describe(node))
  }

  private print(line: string): void {
    const isHeartbeat = line.includes(' empty ') || /appendEntriesResponse|installSnapshot/.test(line)
    if (this.heartbeatsPrinted || !isHeartbeat) this.output.push(line)
  }
}

function describePacket({ from, to, message }: Packet): string {
  return `${from} → ${to} ${describeMessage(message)}`
}

function membersOf({ id, up, state }: TestNode): string {
  if (!up) return `${id} down`
  const newest = state.configurations.at(-1)
  if (newest === undefined) return `${id} knows nobody`
  const settled = newest.index <= state.commitIndex ? 'committed' : 'not committed'
  return `${id}: ${describeConfiguration(newest.configuration)}; entry ${newest.index}, ${settled}`
}
