import type { ServiceDefinition } from '@grpc/grpc-js'
import { CallError, callUnary } from '../../grpc/call-unary.ts'
import { dialStream } from '../../grpc/dial-stream.ts'
import { loadService } from '../../grpc/load-service.ts'
import type { StreamEnd } from '../../grpc/stream-end.ts'
import { decodeErrorInfo, type ErrorInfo } from '../../protocol/error-info.ts'
import { unwrapFrames, wrapFrame } from '../../protocol/frame-message.ts'
import { checkEndpoint } from '../check/check-connect.ts'
import { callback, fieldsOf, waitMs } from '../check/fields.ts'
import { orThrow } from '../check/invalid-argument.ts'
import type { Dial } from './ports.ts'

const CONNECT_PATH = '/holdfast.v1.SessionService/Connect'

/** Twice the largest frame; and 1 MiB under way, because with HTTP/2's 64 KiB every batch would wait for a round trip. */
const RECEIVE = { messageBytesMax: 8 * 1024 * 1024, windowBytes: 1024 * 1024 } as const

const ignore = (): void => {}

/** Session frames over one gRPC stream; the only file of the library that knows gRPC. */
export const dialGrpc: Dial = (endpoint, listener) => {
  orThrow('listener', () => {
    const { onFrame, onClosed } = fieldsOf(listener, 'listener')
    callback(onFrame, 'listener.onFrame')
    callback(onClosed, 'listener.onClosed')
  })
  const stream = dialStream(
    { address: endpoint, path: CONNECT_PATH, direct: true, ...RECEIVE },
    {
      onOpen: ignore,
      onMessage: (message) => {
        const frames = unwrapFrames(message)
        if (frames === null) {
          stream.cancel()
          listener.onClosed('MALFORMED_FRAME', 'the message is no Frame')
        }
        for (const frame of frames ?? []) if (stream.open) listener.onFrame(frame)
      },
      onEnd: (end) => {
        if (end === null) listener.onClosed('ENDED', 'the server ended the stream')
        else listener.onClosed(codeOf(end), end.message)
      },
    },
  )
  return { sendFrame: (frame) => stream.write(wrapFrame(frame), ignore), close: () => stream.end() }
}

/** The registry's code of an end, else its status number. */
function codeOf(end: StreamEnd): string {
  const info = end.details === null ? null : decodeErrorInfo(end.details)
  return info?.reason ?? `GRPC_${end.code}`
}

/** What a node says of itself and, if it leads, of its followers. Indexes are log indexes, times milliseconds. */
export interface NodeStatusReport {
  readonly id: string
  readonly clusterId: string
  readonly group: number
  readonly incarnation: number
  readonly role: string
  readonly leader: string | null
  readonly leaderAddress: string
  readonly term: number
  readonly commitIndex: number
  readonly appliedIndex: number
  readonly lastIndex: number
  readonly snapshotIndex: number
  readonly stateHash: string
  readonly syncP50Ms: number
  readonly syncP99Ms: number
  readonly sessions: number
  readonly rows: number
  readonly attached: number
  readonly connections: number
  readonly followers: readonly { readonly id: string; readonly matchIndex: number; readonly contactMs: number }[]
  readonly voters: readonly string[]
  /** Peers that refused this node's frames within the last seconds, with the code of the error registry (scope `peer`). */
  readonly refusals: readonly { readonly peer: string; readonly code: string }[]
  /** Initial voters that this node has to hear before the first election; empty ever after. */
  readonly awaited: readonly string[]
  /** Why it applies and answers nothing more, with a code of the registry (scope `halt`); null while it serves. */
  readonly halted: { readonly code: string; readonly message: string; readonly index: number } | null
  /** Members that made another state of the log than this node, and the index at which that was seen; null: none known. */
  readonly differs: { readonly nodes: readonly string[]; readonly index: number } | null
  /** Functions of machines that failed since the process began; a node of an earlier build does not say. */
  readonly failures: MachineFailuresReport | null
  /** Machines of the log and of the node's build; a node of an earlier build says none, as of the next two. */
  readonly machines: readonly MachineStatusReport[]
  /** Version of Node that runs it, and of the package; '': not known. */
  readonly runtime: string
  readonly holdfast: string
  /** Its machines run as in development. */
  readonly development: boolean
  /** What other members have told it of themselves. */
  readonly peerBuilds: readonly PeerBuildReport[]
  /** The snapshot of another member that is on its way to it, in rows; null: none is, or a node of an earlier build. */
  readonly pull: PullReport | null
  /** Why it does not vote, for its log was damaged; null: it does, or a node of an earlier build. */
  readonly owes: ObligationReport | null
  /** Length of the leases that are in force as far as its log says, ms; 0: none. */
  readonly leaseMs: number
  /** Of a leader: a read that arrives now is answered by a lease. False where none is held because nobody reads. */
  readonly leaseHeld: boolean
  /** Of a leader: for how many rounds of reads it has asked the others, in this term. */
  readonly readRounds: number
  /**
   * Queries that its process, as a new leader, has answered before it knew what was committed, and those that waited for that.
   */
  readonly limboAnswered: number
  readonly limboWaited: number
}

/** How far a pull is: `rows` of `total`, of the snapshot that ends at `index`. */
export interface PullReport {
  readonly from: string
  readonly index: number
  readonly rows: number
  readonly total: number
}

/**
 * What a node with a damaged log waits for. `reach`: its log reaches that entry again. `census`: every other voter tells its
 * term; `told` have.
 */
export interface ObligationReport {
  readonly kind: string
  readonly term: number
  readonly index: number
  readonly told: readonly string[]
}

/** A machine as one node knows it. */
export interface MachineStatusReport {
  readonly name: string
  /** The version that runs; 0: none. */
  readonly active: number
  /** SHA-256 of what that version declares, as the log names it; '': it names none. */
  readonly schema: string
  /** What the node has of it, lowest version first. */
  readonly supported: readonly MachineVersionReport[]
}

/** One version of a machine in a node's build. */
export interface MachineVersionReport {
  readonly version: number
  /** SHA-256 of what it declares, and of the source text of its handlers, which is never binding. */
  readonly schema: string
  readonly code: string
}

/** What a node is built of, by its own word to another one. */
export interface PeerBuildReport {
  readonly id: string
  readonly machines: readonly { readonly name: string; readonly versions: readonly MachineVersionReport[] }[]
  readonly runtime: string
  readonly holdfast: string
  /** Its machines run as in development. */
  readonly development: boolean
}

/** How often machines failed on a node, replayed entries and queries counted, and the last time: its log says more. */
export interface MachineFailuresReport {
  readonly total: number
  readonly last: {
    /** Empty when it is not known whose hook it was. */
    readonly machine: string
    /** `command`, `timer`, `hook` or `query`. */
    readonly kind: string
    readonly name: string
    /** The entry that ran it; of a query, the entry applied last. */
    readonly index: number
    /** Reason of MACHINE_ERROR. */
    readonly reason: string
  } | null
}

/**
 * Asks one node for its status; `deadlineMs` from 0 to 2^31 − 1. Rejects with CallError when it does not answer in time,
 * with InvalidArgument for what is no endpoint or deadline.
 */
export async function fetchStatus(endpoint: string, deadlineMs = 2000): Promise<NodeStatusReport> {
  const response = (await callCluster(endpoint, { method: 'Status', request: {} }, deadlineMs)) as NodeStatusReport
  return { ...response, leader: response.leader === '' ? null : response.leader }
}

/** One unary call of `ClusterService`, which answers with that method's response message. Rejects as `fetchStatus` does. */
export function callCluster(endpoint: string, call: NodeCall, deadlineMs: number): Promise<unknown> {
  return callNode(endpoint, { ...call, service: 'Cluster' }, deadlineMs)
}

/** A method of a service, and its request message. */
export interface NodeCall {
  readonly method: string
  readonly request: object
}

/**
 * One unary call of `OperatorService`, likewise. Rejects with CallError too when the node refuses; `refusalOf` says how.
 */
export function callOperator(endpoint: string, call: NodeCall, deadlineMs: number): Promise<unknown> {
  return callNode(endpoint, { ...call, service: 'Operator' }, deadlineMs)
}

/** What is heard of a call that answers with a stream. */
export interface AnswerListener {
  onAnswer(message: unknown): void
  /** Once; null: in order. Otherwise a code of the error registry or `GRPC_…`, and a sentence. */
  onEnd(end: { readonly code: string; readonly message: string } | null): void
}

/** One call of `OperatorService` that answers with a stream, until it ends or `cancel` is called. */
export function streamOperator(
  endpoint: string,
  { method, request }: NodeCall,
  listener: AnswerListener,
): { cancel(): void } {
  const stream = converseOperator(endpoint, method, listener)
  stream.say(request)
  stream.finish()
  return stream
}

/** A call of `OperatorService` in which the caller says more than one message. */
export interface Conversation {
  say(request: object): void
  /** Says no more, and goes on to listen. */
  finish(): void
  cancel(): void
}

/** As `streamOperator`, of a method that takes a stream: what is said before the connection stands waits for it. */
export function converseOperator(endpoint: string, name: string, listener: AnswerListener): Conversation {
  const method = definitionOf('Operator')[name]
  if (method === undefined) throw new Error(`the proto folder defines no OperatorService.${name}`)
  const stream = dialStream(
    { address: endpoint, path: method.path, ...RECEIVE },
    {
      onOpen: ignore,
      onMessage: (message) => listener.onAnswer(method.responseDeserialize(message)),
      onEnd: (end) => listener.onEnd(end === null ? null : { code: codeOf(end), message: end.message }),
    },
  )
  return {
    say: (request) => stream.write(method.requestSerialize(request), ignore),
    finish: () => stream.finish(),
    cancel: () => stream.cancel(),
  }
}

/** What a node said with its refusal of a call: a code of the error registry, and the scalar details; null: nothing of ours. */
export function refusalOf(error: unknown): ErrorInfo | null {
  return error instanceof CallError && error.details !== null ? decodeErrorInfo(error.details) : null
}

async function callNode(
  endpoint: string,
  { service, method: name, request }: NodeCall & { readonly service: Service },
  deadlineMs: number,
): Promise<unknown> {
  orThrow('endpoint', () => checkEndpoint(endpoint, 'endpoint'))
  orThrow('deadlineMs', () => waitMs(deadlineMs, 'deadlineMs'))
  const method = definitionOf(service)[name]
  if (method === undefined) throw new Error(`the proto folder defines no ${service}Service.${name}`)
  const target = { address: endpoint, path: method.path, ...RECEIVE }
  const bytes = await callUnary(target, method.requestSerialize(request), deadlineMs)
  return method.responseDeserialize(bytes)
}

type Service = 'Cluster' | 'Operator'

const loaded = new Map<Service, ServiceDefinition>()

function definitionOf(service: Service): ServiceDefinition {
  const known =
    loaded.get(service) ?? loadService(`holdfast/v1/${service.toLowerCase()}.proto`, `holdfast.v1.${service}Service`)
  loaded.set(service, known)
  return known
}
