import type { OpenedLine, StepLine, TraceLine, WrittenLine } from '../line.ts'
import { checkCommit, countAnswer, noteAccepted } from './commit.ts'
import { bootstrap, checkConfiguration, type Configurations } from './configurations.ts'
import { changeLog } from './logs.ts'
import { checkSends } from './messages.ts'
import { Network } from './network.ts'
import { allow } from './not-allowed.ts'
import { checkReads } from './reads.ts'
import { checkRole } from './roles.ts'
import { Safety } from './safety.ts'
import { configurationOf, ledBefore, openedServer, type SpecServer } from './server.ts'
import { checkTermAndVote } from './terms-and-votes.ts'

/**
 * The specification's cluster: takes lines in an order in which they can have happened, and fails at one that is not
 * allowed.
 */
export class SpecCluster {
  readonly safety = new Safety()
  private readonly servers = new Map<string, SpecServer>()
  private readonly network = new Network()
  private readonly configurations: Configurations = new Map()

  /** Whether what the line waits for has happened: a message arrives after it was sent. */
  isEnabled(line: TraceLine): boolean {
    if (line.kind !== 'step' || line.event.kind !== 'receive') return true
    return this.network.carries(line.event.from, line.node, line.event.message)
  }

  /** Takes the line; throws `NotAllowed`. */
  take(line: TraceLine): void {
    if (line.kind === 'opened') this.open(line)
    else if (line.kind === 'written') this.written(line)
    else this.step(line)
  }

  private open(line: OpenedLine): void {
    const before = this.servers.get(line.node) ?? null
    if (before !== null) this.network.forget(before)
    this.servers.set(line.node, openedServer(line, before))
  }

  private written(line: WrittenLine): void {
    const server = this.server(line.node)
    server.disk.complete(line.write)
    this.network.written(server)
  }

  private step(line: StepLine): void {
    const server = this.server(line.node)
    const committedBefore = server.commit
    bootstrap(server, line)
    const configuration = configurationOf(server)
    checkTermAndVote(server, line)
    checkRole(server, line)
    if (takesOffice(server, line)) begin(server)
    noteAccepted(server, line)
    changeLog(server, line)
    countAnswer(server, line)
    checkCommit(server, line, configuration)
    checkConfiguration(this.configurations, server, line)
    checkSends(server, line)
    checkReads(server, line, committedBefore)
    const { term, vote, role, commit } = line.state
    Object.assign(server, { term, vote, role, commit })
    for (const send of line.sends) this.network.send(server, send)
    this.safety.note(server, line, committedBefore)
  }

  private server(name: string): SpecServer {
    const server = this.servers.get(name)
    allow(server !== undefined, 'a node opens its log before it does anything', () => name)
    return server
  }
}

function takesOffice(server: SpecServer, line: StepLine): boolean {
  return line.state.role === 'leader' && !ledBefore(server, line)
}

/** Action BecomeLeader: of its followers a new leader knows nothing. */
function begin(server: SpecServer): void {
  server.match = new Map()
  server.followed = new Map()
  server.sequence = 0
  server.reads = []
  server.heard = new Map()
  server.firstOwn = server.log.last + 1
}
