import type { sendUnaryData, ServerUnaryCall, UntypedServiceImplementation } from '@grpc/grpc-js'
import type { z } from 'zod'
import { MINUTE_MS, SECOND_MS } from '../base/time.ts'
import type { Value } from '../codec/value/value.ts'
import { encodeWalked } from '../codec/value/encode-walked.ts'
import type { ConnectionSink, GatewayAnswer, QueryAnswer } from '../gateway/connection-sink.ts'
import type { GatewayConnection } from '../gateway/gateway-connection.ts'
import type { SessionGateway } from '../gateway/session-gateway.ts'
import type { ErrorScope } from '../protocol/errors.ts'
import { statusObject } from './grpc-error.ts'
import { acknowledgeRequest, closeRequest, executeRequest, openRequest, queryRequest } from './unary-schemas.ts'

const TIMEOUT_MS = 30 * SECOND_MS
const VALID_FOR_MS = 2 * MINUTE_MS
const CHANNEL = 1
const nothing = (): void => {}

type Reply = sendUnaryData<unknown>

/** One unary call over a connection of its own, which ends with it (wire.md §2, step 4). */
class UnaryCall {
  readonly connection: GatewayConnection
  readonly sink: ConnectionSink
  private readonly reply: Reply
  private over = false

  constructor(gateway: SessionGateway, call: ServerUnaryCall<unknown, unknown>, reply: Reply) {
    this.reply = reply
    this.sink = {
      unsentBytes: 0,
      opened: nothing,
      attached: nothing,
      responded: nothing,
      serverRequest: nothing,
      acknowledged: nothing,
      pong: nothing,
      queried: nothing,
      changed: nothing,
      subscriptionEnded: nothing,
      closed: nothing,
      ended: nothing,
      superseded: nothing,
      leaderChanged: nothing,
      refused: (_channel, subject, bad) =>
        this.fail(subject === 'open' || subject === 'attach' ? subject : 'session', bad.code, bad.details),
      failed: () => this.fail('connection', 'NODE_STOPPED'),
    }
    this.connection = gateway.connect(this.sink)
    call.on('cancelled', () => this.end())
  }

  succeed(value: unknown): void {
    if (this.over) return
    this.end()
    this.reply(null, value)
  }

  fail(scope: ErrorScope, code: string, details: Value = null): void {
    if (this.over) return
    this.end()
    this.reply(statusObject(scope, code, details))
  }

  private end(): void {
    this.over = true
    this.connection.end()
  }
}

/** The unary methods of `SessionService`. */
export function unaryCalls(gateway: SessionGateway): UntypedServiceImplementation {
  const handle =
    <Schema extends z.ZodType>(
      scope: ErrorScope,
      schema: Schema,
      run: (call: UnaryCall, request: z.infer<Schema>) => void,
    ) =>
    (call: ServerUnaryCall<unknown, unknown>, reply: Reply): void => {
      const parsed = schema.safeParse(call.request)
      if (!parsed.success)
        return reply(statusObject(scope, 'INVALID', { field: parsed.error.issues[0]?.path.join('.') ?? '' }))
      const unary = new UnaryCall(gateway, call, reply)
      try {
        run(unary, parsed.data)
      } catch {
        // A bug that one call found must not end the node.
        unary.fail('connection', 'INTERNAL')
      }
    }
  return {
    Open: handle('open', openRequest, (call, request) => handleOpen(gateway, call, request)),
    Execute: handle('request', executeRequest, (call, request) => handleExecute(call, request)),
    Query: handle('query', queryRequest, (call, request) => handleQuery(call, request)),
    Acknowledge: handle('session', acknowledgeRequest, (call, request) => handleAcknowledge(call, request)),
    Close: handle('session', closeRequest, (call, request) => handleClose(call, request)),
  }
}

function handleOpen(gateway: SessionGateway, call: UnaryCall, request: z.infer<typeof openRequest>): void {
  const { secret, principal, roles, ordered, nonce } = request
  let opened = { existing: false }
  let session = { group: 0, incarnation: 0, index: 0 }
  call.sink.opened = (channel, numbers, existing) => {
    session = numbers
    opened = { existing }
    // The epoch that this attach replaces is the applied one; a takeover in between is a conflict, as it should be.
    const facts = gateway.node.machine.sessionFacts(numbers.index)
    call.connection.receiveAttach({ kind: 'attach', ...numbers, channel, secret, replaces: facts?.epoch ?? 0, nonce })
  }
  call.sink.attached = (_channel, { epoch, nextRequestId, acknowledged, timeoutMs }) =>
    call.succeed({ session, epoch, nextRequestId, acknowledged, timeoutMs, ...opened })
  call.connection.receiveOpen({
    kind: 'open',
    channel: CHANNEL,
    secret,
    principal,
    roles,
    capabilities: request.capabilities.length === 0 ? encodeWalked({}) : request.capabilities,
    name: request.clientName,
    timeoutMs: request.timeoutMs === 0 ? TIMEOUT_MS : request.timeoutMs,
    validUntil: request.validUntilMs === 0 ? Math.floor(gateway.node.logNow()) + VALID_FOR_MS : request.validUntilMs,
    ordered,
  })
}

/** Proves the session; false when the call was answered with a refusal. */
function bind(call: UnaryCall, scope: ErrorScope, request: z.infer<typeof closeRequest>): boolean {
  const { session, epoch, secret } = request
  const refusal = call.connection.bind(CHANNEL, session, { epoch, secret })
  if (refusal !== null) call.fail(scope, refusal.code, refusal.details)
  return refusal === null
}

function handleExecute(call: UnaryCall, request: z.infer<typeof executeRequest>): void {
  call.sink.responded = (_channel, _requestId, answer) => respond(call, answer)
  if (!bind(call, 'request', request)) return
  const { requestId, lowestPendingRequestId, machine, command, input } = request
  const ackServerRequests = request.acknowledgeServerRequests
  call.connection.receiveRequest({
    kind: 'request',
    channel: CHANNEL,
    requestId,
    lowestPendingRequestId,
    ackServerRequests,
    machine,
    command,
    input,
  })
}

function respond(call: UnaryCall, answer: GatewayAnswer): void {
  if (answer.kind === 'unknown') return call.fail('request', answer.code)
  if (answer.kind !== 'outcome') return call.fail('request', answer.code, answer.details)
  const { index, replayed, invalidAck } = answer
  call.succeed({ ...outcomeFields(answer.outcome), index, replayed, invalidAck })
}

function handleQuery(call: UnaryCall, request: z.infer<typeof queryRequest>): void {
  call.sink.queried = (_correlationId, position, answer) => {
    if (answer.kind === 'refused') call.fail('query', answer.code, answer.details)
    else call.succeed({ ...outcomeFields(answer), ...position })
  }
  const { incarnation, minIndex, machine, input } = request
  const consistency = CONSISTENCY[request.consistency]
  call.connection.receiveQuery({
    kind: 'query',
    channel: 0,
    correlationId: 1,
    consistency,
    incarnation,
    minIndex,
    machine,
    query: request.query,
    input,
  })
}

const CONSISTENCY = {
  CONSISTENCY_LINEARIZABLE: 'linearizable',
  CONSISTENCY_SEQUENTIAL: 'sequential',
  CONSISTENCY_STALE: 'stale',
} as const

function outcomeFields(outcome: Exclude<QueryAnswer, { kind: 'refused' }>): object {
  if (outcome.kind === 'value') return { outcome: 'OUTCOME_OK', value: encodeWalked(outcome.value) }
  return { outcome: 'OUTCOME_REJECTED', code: outcome.code, details: encodeWalked(outcome.details) }
}

function handleAcknowledge(call: UnaryCall, request: z.infer<typeof acknowledgeRequest>): void {
  call.sink.acknowledged = (_channel, acknowledged) => call.succeed({ acknowledged })
  if (bind(call, 'session', request)) call.connection.receiveAck(CHANNEL, request.serverRequestId)
}

function handleClose(call: UnaryCall, request: z.infer<typeof closeRequest>): void {
  call.sink.closed = () => call.succeed({})
  if (bind(call, 'session', request)) call.connection.receiveClose(CHANNEL)
}
