import type {
  sendUnaryData,
  ServerDuplexStream,
  ServerUnaryCall,
  ServerWritableStream,
  ServiceDefinition,
  UntypedServiceImplementation,
} from '@grpc/grpc-js'
import type { z } from 'zod'
import { haltedRefusal, notLeader, type Refusal } from '../../gateway/refusal.ts'
import type { SessionGateway } from '../../gateway/session-gateway.ts'
import { loadServedService } from '../../grpc/load-service.ts'
import { statusObject } from '../grpc-error.ts'
import { answerChangeLimits, answerLimits } from './limit-answers.ts'
import { answerForget } from './subjects/forget-answer.ts'
import { answerTransfer } from './leader-transfer.ts'
import type { OperatorReply } from './operator-reply.ts'
import { answerChangeMembership, answerMembers } from './member-answers.ts'
import {
  changeLimitsRequest,
  changeMembershipRequest,
  changeScheduleRequest,
  deadLettersRequest,
  evictSessionRequest,
  forgetRequest,
  limitsRequest,
  membersRequest,
  moveDeadLettersRequest,
  scheduleRequest,
  schedulesRequest,
  sessionHistoryRequest,
  sessionRequest,
  sessionsRequest,
  skipPartRequest,
  stopsRequest,
  transferRequest,
  tryCommandRequest,
  watchRequest,
} from './operator-requests.ts'
import { answerDeadLetters, answerMoveDeadLetters } from './dead-letter-answers.ts'
import { answerChangeSchedule, answerSchedule, answerSchedules } from './schedule-answers.ts'
import { answerEvictSession, answerSession, answerSessionHistory, answerSessions } from './session-answers.ts'
import { answerSkipPart, answerStops } from './stop-answers.ts'
import { answerTryCommand } from './trial-answer.ts'
import { BackupStream } from './backup-stream.ts'
import { WatchStream } from './watch-stream.ts'

/** Watchers of one node at once: each costs something with every entry. */
const WATCHERS_MAX = 16

/** `OperatorService`: what an operator may look at, and the leader that it may change; the leader alone answers. */
export class OperatorService {
  readonly definition: ServiceDefinition
  readonly implementation: UntypedServiceImplementation
  private readonly gateway: SessionGateway
  private readonly watchers = new Set<WatchStream>()
  private readonly backups = new Set<BackupStream>()

  constructor(gateway: SessionGateway) {
    this.gateway = gateway
    this.definition = loadServedService('holdfast/v1/operator.proto', 'holdfast.v1.OperatorService')
    this.implementation = {
      Sessions: this.handle(sessionsRequest, (request, reply) => answerSessions(gateway, request, reply)),
      Session: this.handle(sessionRequest, (request, reply) => answerSession(gateway, request, reply)),
      SessionHistory: this.handle(sessionHistoryRequest, (request, reply) =>
        answerSessionHistory(gateway, request, reply),
      ),
      TryCommand: this.handle(tryCommandRequest, (request, reply) => answerTryCommand(gateway, request, reply)),
      Members: this.handle(membersRequest, (_request, reply) => answerMembers(gateway, reply)),
      ChangeMembership: this.handle(changeMembershipRequest, (request, reply) =>
        answerChangeMembership(gateway, request, reply),
      ),
      TransferLeadership: this.handle(transferRequest, (request, reply) => answerTransfer(gateway, request, reply)),
      Limits: this.handle(limitsRequest, (_request, reply) => answerLimits(gateway, reply)),
      ChangeLimits: this.handle(changeLimitsRequest, (request, reply) => answerChangeLimits(gateway, request, reply)),
      EvictSession: this.handle(evictSessionRequest, (request, reply) => answerEvictSession(gateway, request, reply)),
      Forget: this.handle(forgetRequest, (request, reply) => answerForget(gateway, request, reply)),
      DeadLetters: this.handle(deadLettersRequest, (request, reply) => answerDeadLetters(gateway, request, reply)),
      MoveDeadLetters: this.handle(moveDeadLettersRequest, (request, reply) =>
        answerMoveDeadLetters(gateway, request, reply),
      ),
      Schedules: this.handle(schedulesRequest, (request, reply) => answerSchedules(gateway, request, reply)),
      Schedule: this.handle(scheduleRequest, (request, reply) => answerSchedule(gateway, request, reply)),
      ChangeSchedule: this.handle(changeScheduleRequest, (request, reply) =>
        answerChangeSchedule(gateway, request, reply),
      ),
      Stops: this.handle(stopsRequest, (_request, reply) => answerStops(gateway, reply), true),
      SkipPart: this.handle(skipPartRequest, (request, reply) => answerSkipPart(gateway, request, reply), true),
      Watch: (call: ServerWritableStream<unknown, unknown>) => this.watch(call),
      Backup: (call: ServerDuplexStream<unknown, unknown>) => {
        const stream = new BackupStream(gateway.node.inspection, call, () => this.backups.delete(stream))
        this.backups.add(stream)
      },
    }
  }

  /** Ends every stream. */
  close(): void {
    for (const backup of [...this.backups]) backup.fail('SHUTTING_DOWN')
    for (const watcher of [...this.watchers]) watcher.fail('NODE_STOPPED')
  }

  private watch(call: ServerWritableStream<unknown, unknown>): void {
    const refuse = (code: string, details: Refusal['details'] = null): void => {
      call.emit('error', statusObject('operator', code, details))
    }
    const parsed = watchRequest.safeParse(call.request)
    if (!parsed.success) return refuse('INVALID', { field: parsed.error.issues[0]?.path.join('.') ?? '' })
    const halted = haltedRefusal(this.gateway.node)
    if (halted !== null) return refuse(halted.code, halted.details)
    if (this.watchers.size >= WATCHERS_MAX) return refuse('OVERLOADED', { max: WATCHERS_MAX })
    const stream = new WatchStream(this.gateway, call, {
      request: parsed.data,
      ended: () => this.watchers.delete(stream),
    })
    this.watchers.add(stream)
    stream.begin()
  }

  /** `whileHalted`: the leader answers, whether it serves or not. */
  private handle<Schema extends z.ZodType>(
    schema: Schema,
    run: (request: z.infer<Schema>, reply: OperatorReply) => void,
    whileHalted = false,
  ) {
    return (call: ServerUnaryCall<unknown, unknown>, done: sendUnaryData<unknown>): void => {
      const reply: OperatorReply = {
        answer: (message) => done(null, { ...message, by: this.by() }),
        refuse: (code, details = null) => done(statusObject('operator', code, details)),
      }
      const parsed = schema.safeParse(call.request)
      if (!parsed.success) return reply.refuse('INVALID', { field: parsed.error.issues[0]?.path.join('.') ?? '' })
      const refusal = this.refusal(whileHalted)
      if (refusal !== null) return reply.refuse(refusal.code, refusal.details)
      try {
        run(parsed.data, reply)
      } catch {
        // A bug that one call found must not end the node.
        done(statusObject('connection', 'INTERNAL'))
      }
    }
  }

  /** Why this node does not answer: it has halted, does not lead, or has not been compared with what it was before. */
  private refusal(whileHalted: boolean): Refusal | null {
    const { node } = this.gateway
    if (whileHalted) return node.role === 'leader' ? null : notLeader(node)
    const halted = haltedRefusal(node)
    if (halted !== null) return halted
    return node.leading && !node.replaying ? null : notLeader(node)
  }

  private by(): object {
    const { id, term, appliedIndex } = this.gateway.node.status()
    return { node: id, term, appliedIndex }
  }
}
