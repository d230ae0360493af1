import type { z } from 'zod'
import type { ScheduleStep } from '../../codec/entry/payload.ts'
import { encodePayload } from '../../codec/entry/payload-codec.ts'
import { encodeWalked } from '../../codec/value/encode-walked.ts'
import type { SessionGateway } from '../../gateway/session-gateway.ts'
import type { ScheduleStatus, StoredSchedule } from '../../session/schedule.ts'
import { SCHEDULE_BACKFILLS_MAX } from '../../session/schedules/schedule-rows.ts'
import { RUN_END_SINCE, SCHEDULE_CHANGE_SINCE } from '../../session/own-versions.ts'
import { refuseNotYet } from './own-version.ts'
import { OperatorProposal } from './operator-proposal.ts'
import type { OperatorReply } from './operator-reply.ts'
import type { changeScheduleRequest, scheduleRequest, schedulesRequest } from './operator-requests.ts'

type Change = z.infer<typeof changeScheduleRequest>

/** Of the schedules looked at those that are wanted; where the next page begins. */
export function answerSchedules(
  { node }: SessionGateway,
  { afterMachine, afterName, limit, machine }: z.infer<typeof schedulesRequest>,
  reply: OperatorReply,
): void {
  const after = afterMachine === '' ? null : { machine: afterMachine, name: afterName }
  const page = node.machine.schedules.listAfter(after, limit)
  const wanted = machine === '' ? page : page.filter((schedule) => schedule.machine === machine)
  const last = page.length < limit ? null : (page.at(-1) ?? null)
  reply.answer({ schedules: wanted.map(scheduleLine), nextMachine: last?.machine ?? '', nextName: last?.name ?? '' })
}

export function answerSchedule(
  { node }: SessionGateway,
  { machine, name, payloads }: z.infer<typeof scheduleRequest>,
  reply: OperatorReply,
): void {
  const found = node.machine.schedules.find(machine, name)
  if (found === null) return reply.refuse('SCHEDULE_UNKNOWN', { machine, name })
  reply.answer({
    schedule: scheduleLine(found),
    revision: found.revision,
    nowMs: Math.floor(node.logNow()),
    // A copy: the encoder's own bytes are gone with the next value.
    payload: payloads ? Buffer.from(encodeWalked(found.payload)) : Buffer.alloc(0),
    open: found.open.map(({ run, scheduledAt }) => ({ run, scheduledMs: scheduledAt })),
    waitingMs: found.waiting,
    fillingMs: found.filling,
    backfills: found.backfills.map(({ after, upTo }) => ({ fromMs: after + 1, toMs: upTo + 1 })),
  })
}

/** Answers once the entry is applied. What would change nothing is told apart by the schedule as it is then. */
export function answerChangeSchedule({ node }: SessionGateway, request: Change, reply: OperatorReply): void {
  const { change, machine, name } = request
  const { schedules } = node.machine
  if (refuseNotYet(node, change === 'end' ? RUN_END_SINCE : SCHEDULE_CHANGE_SINCE, reply)) return
  if (schedules.find(machine, name) === null) return reply.refuse('SCHEDULE_UNKNOWN', { machine, name })
  const proposal = new OperatorProposal(node, reply, (applied, index) => {
    if (applied.kind !== 'scheduled') return reply.refuse('INVALID', { field: 'change' })
    if (applied.done[0] === true) return reply.answer({ index, changed: true })
    answerUnchanged(request, schedules.find(machine, name), { reply, index })
  })
  node.submit('ScheduleNext', encodePayload('ScheduleNext', { steps: [stepOf(request)] }), proposal)
}

function answerUnchanged(
  { change, machine, name, basedOn, fromMs, toMs }: Change,
  found: StoredSchedule | null,
  { reply, index }: { readonly reply: OperatorReply; readonly index: number },
): void {
  if (found === null) return reply.refuse('SCHEDULE_UNKNOWN', { machine, name })
  const { revision, backfills } = found
  if (basedOn !== 0 && basedOn !== revision) return reply.refuse('SCHEDULE_CHANGED', { machine, name, revision })
  if (change !== 'backfill') return reply.answer({ index, changed: false })
  const full = backfills.length >= SCHEDULE_BACKFILLS_MAX
  const empty =
    toMs <= fromMs ? 'the end of the range is not after its beginning' : 'nothing of the range is before now'
  const problem = full ? `${backfills.length} backfills are not done` : empty
  reply.refuse('BACKFILL_REFUSED', { machine, name, problem })
}

function stepOf({ change, machine, name, fromMs, toMs, basedOn, run }: Change): ScheduleStep {
  const range = change === 'backfill' ? { after: fromMs, upTo: toMs } : { after: change === 'end' ? run : 0, upTo: 0 }
  return { machine, name, kind: change, revision: basedOn, ...range, missed: 0, times: [], stop: '' }
}

/** A schedule as a message. */
export function scheduleLine(schedule: ScheduleStatus): object {
  const { machine, name, cron, zone, overlap, paused, runs, failed, missed, skipped } = schedule
  return {
    ...{ machine, name, cron, zone, overlap, paused, runs, failed, missed, skipped },
    catchUpMs: schedule.catchUpMs,
    nextMs: schedule.next ?? 0,
    stop: schedule.stop ?? '',
    lastMs: schedule.last ?? 0,
    open: schedule.open.length,
    waiting: schedule.waiting.length,
    filling: schedule.filling.length,
    backfills: schedule.backfills.length,
  }
}
