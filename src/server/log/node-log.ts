import { pino, type Logger } from 'pino'
import { unreachable } from '../../base/assert.ts'
import type { GroupId, NodeId, Term } from '../../base/brand.ts'
import type { NodeEvent, NodeListener } from '../../node/api.ts'
import type { ToldFailure } from '../../node/apply/machine-reports.ts'
import type { MachineLine } from '../../session/machine-report.ts'
import type { LogLevel } from '../../protocol/log-level.ts'
import { HttpLines } from './http-lines.ts'
import { LineWriter } from './line-writer.ts'
import { MachineLines } from './machine-lines.ts'
import type { Later } from './repeat-limit.ts'
import { SlowLines } from './slow-lines.ts'
import type { ToldRefusal } from '../peer-refusals.ts'

const STDERR = 2

export interface NodeLogOptions {
  readonly node: NodeId
  readonly group: GroupId
  readonly level: LogLevel
  /** The node's current term, asked for with every line; 0 before its log is open. */
  term(): Term
  /** Where lines go. Default: stderr, through a `LineWriter`. Must not throw. */
  readonly lines?: Pick<LineWriter, 'write' | 'flush'>
  /** How a time is waited for. Default: a timer that does not keep the process alive. */
  readonly later?: Later
}

/**
 * The log of one node: JSON lines with `time` (ISO 8601), `level`, `node`, `group`, `term`, `event` and a sentence in `msg`
 * (cli.md). It is one listener of the node among others and hears of its life, and of commands only what machines tell.
 * It speaks within the node's turns, so it neither throws nor waits: a line that cannot be written is dropped.
 */
export class NodeLog implements NodeListener {
  private readonly logger: Logger
  private readonly lines: Pick<LineWriter, 'write' | 'flush'>
  private readonly machines: MachineLines
  private readonly slow: SlowLines
  /** What the node's HTTP port tells. */
  readonly http: HttpLines

  constructor({ node, group, level, term, later, lines = new LineWriter(STDERR) }: NodeLogOptions) {
    this.lines = lines
    this.logger = pino(
      {
        level,
        base: { node, group },
        timestamp: pino.stdTimeFunctions.isoTime,
        formatters: { level: (label) => ({ level: label }) },
        mixin: () => ({ term: term() }),
      },
      lines,
    )
    this.machines = new MachineLines(this.logger, later)
    this.slow = new SlowLines(this.logger, later)
    this.http = new HttpLines(this.logger, later)
  }

  /** The node serves at this address. */
  listening(address: string): void {
    this.logger.info({ event: 'listening', address }, `listening on ${address}`)
  }

  /** A directory that was never used took the id of the voters that are named now. */
  clusterIdChanged({ known, given }: { readonly known: string; readonly given: string }): void {
    const sentence = `the peers are others than at the first start: the unused directory goes from cluster ${known} to ${given}`
    this.logger.warn({ event: 'clusterIdChanged', known, given }, sentence)
  }

  /** The peers that this process was started with are not the members in the log: `id=host:port` each. */
  peersDiffer({ known, given }: { readonly known: readonly string[]; readonly given: readonly string[] }): void {
    const sentence =
      `started with the peers ${given.join(',')}, but the log's configuration is ${known.join(',')}: who votes is what the log ` +
      'says; an address given here is where this node dials that member'
    this.logger.warn({ event: 'peersDiffer', known, given }, sentence)
  }

  /** The log was damaged, now or before an earlier start, and ends with this entry; `owes` a sentence. */
  logDamaged({ lastIndex, owes }: { readonly lastIndex: number; readonly owes: string }): void {
    const sentence =
      `the log was damaged and is kept up to entry ${lastIndex}; what is missing comes from the other nodes. Until then this ` +
      `node neither votes nor leads: ${owes}`
    this.logger.warn({ event: 'logDamaged', lastIndex }, sentence)
  }

  /** The stored state was damaged and is set aside; `cause` is what the open said of it. */
  snapshotDamaged(cause: string): void {
    const sentence =
      'the snapshot was damaged and is set aside in damaged-state; what its log does not hold comes from the others'
    this.logger.warn({ event: 'snapshotDamaged', cause }, sentence)
  }

  /** The disk is nearly full, of which a sentence is told; null: there is room again. */
  diskRoom(short: { readonly sentence: string; readonly of: string; readonly left: number } | null): void {
    if (short === null)
      return this.logger.info({ event: 'diskRoom' }, 'there is room on the disk again: commands are taken')
    const { sentence, of, left } = short
    const text = `${sentence}. While this node leads, commands are refused with DISK_FULL; queries, keep-alives and acks go on`
    this.logger.warn({ event: 'diskShort', of, left }, text)
  }

  /** So many keys of subjects could not be read. */
  keysDamaged(slots: number): void {
    const sentence =
      `${slots} slots of the key files were damaged and are empty now; keys that were in them come from the other nodes. What no ` +
      'node has a key for reads as forgotten.'
    this.logger.warn({ event: 'keysDamaged', slots }, sentence)
  }

  /** Connections are refused, because this process may have no more descriptors than it needs for its files. */
  connectionsRefused(): void {
    const sentence =
      'connections are refused: the process has too few descriptors left. Raise its limit of open files ' +
      '(ulimit -n, LimitNOFILE), or close connections.'
    this.logger.warn({ event: 'connectionsRefused' }, sentence)
  }

  /** Steps of consensus are not written down any more. */
  traceEnded(why: string): void {
    const sentence = `steps are not traced any more: ${why}; what was written stays true; make room, and trace into a new directory`
    this.logger.warn({ event: 'traceEnded' }, sentence)
  }

  /** This node and a peer refuse each other. */
  peerRefused({ peer, code, sentence }: ToldRefusal): void {
    this.logger.warn({ event: 'peerRefused', peer, code }, sentence)
  }

  noted(event: NodeEvent): void {
    switch (event.kind) {
      case 'roleChanged':
        this.logger.info(
          { event: event.kind, role: event.role, leader: event.leader, ready: event.leading },
          roleSentence(event),
        )
        return
      case 'electionBegun':
        this.logger.info({ event: event.kind }, `election of term ${event.term} begun`)
        return
      case 'snapshotInstalled': {
        const { kind, index, rows, durationMs } = event
        const text = `snapshot at index ${index} of another member installed`
        this.logger.info({ event: kind, index, rows, durationMs }, text)
        return
      }
      case 'snapshotWritten': {
        const { kind, index, rows, durationMs } = event
        this.logger.info({ event: kind, index, rows, durationMs }, `snapshot at index ${index} written`)
        return
      }
      case 'diskSlow':
      case 'progressSlow':
        return this.slow.tell(event)
      case 'stateDiffers': {
        const { kind, index, nodes, decided } = event
        const verdict = decided
          ? 'a majority has the state of this node, and they halt themselves'
          : 'no majority says who is right, and nobody halts'
        this.logger.error(
          { event: kind, index, nodes, decided },
          `${nodes.join(' and ')} made another state of the log than this node, at entry ${index}: ${verdict}`,
        )
        return
      }
      case 'diskIgnored': {
        const { kind, peer } = event
        const sentence =
          `${peer} greets with a data directory after which this node has heard another one of that name, and is ignored. ` +
          `If ${peer} runs on that directory now and the first election does not come, restart this node`
        this.logger.warn({ event: kind, peer }, sentence)
        return
      }
      case 'modeDiffers': {
        const { kind, peer, development } = event
        const [its, own] = development ? ['in', 'is not'] : ['not in', 'is']
        const sentence =
          `${peer} runs ${its} development mode and this node ${own}: they would make different states of one log, so neither hears ` +
          'the other. Start all nodes of a cluster in one mode, on directories that were made in it'
        this.logger.error({ event: kind, peer, development }, sentence)
        return
      }
      case 'versionAwaited': {
        const { kind, machine, version, nodes, silent } = event
        this.logger.info({ event: kind, machine, version, nodes, silent }, awaitedSentence(event))
        return
      }
      case 'entriesLost':
      case 'halted':
      case 'resumed':
        return this.changed(event)
      default:
        unreachable(event)
    }
  }

  private changed(event: Extract<NodeEvent, { kind: 'entriesLost' | 'halted' | 'resumed' }>): void {
    const { kind, index } = event
    if (kind === 'resumed') {
      const text = `the state that was awaited is here, that of the other nodes at entry ${index}: this node serves again`
      return this.logger.info({ event: kind, index }, text)
    }
    if (kind === 'entriesLost') {
      const { owed } = event
      const sentence =
        `no voter has what this node lost, up to entry ${owed}: the longest of all their logs ends at entry ${index}, and the ` +
        'cluster goes on from there. What was acknowledged behind it is lost, if anything was'
      return this.logger.error({ event: kind, index, owed }, sentence)
    }
    const { code, message } = event
    this.logger.error({ event: kind, code, index }, `${code}: ${message}`)
  }

  stopped({ code, message }: { readonly code: string; readonly message: string }): void {
    this.logger.error({ event: 'stopped', code }, `${code}: ${message}`)
    this.flush()
  }

  /** A machine failed here, or spoke. */
  reported(report: MachineLine | ToldFailure): void {
    this.machines.tell(report)
  }

  /** What waits is written before this returns: before the process ends. */
  flush(): void {
    this.machines.flush()
    this.slow.flush()
    this.http.flush()
    this.lines.flush()
  }

  applied(): void {}

  batchApplied(): void {}

  roleChanged(): void {}
}

function awaitedSentence(event: Extract<NodeEvent, { kind: 'versionAwaited' }>): string {
  const { machine, version, nodes, silent } = event
  const unknown =
    silent.length === 0 ? '' : ` (not reached, or it has not said what it is built of: ${silent.join(', ')})`
  return `${machine} ${version} is switched on once every voter has it: waiting for ${nodes.join(', ')}${unknown}`
}

function roleSentence({ role, leader, term, leading }: Extract<NodeEvent, { kind: 'roleChanged' }>): string {
  if (role === 'leader') return leading ? `leads term ${term} and serves` : `leads term ${term}`
  return leader === null ? `${role} in term ${term}, no leader known` : `${role} of ${leader} in term ${term}`
}
