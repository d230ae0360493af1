import type { Value } from '../../../src/codec/value/value.ts'
import type { MachineDefinition } from '../../../src/machine/index.ts'
import { gates, reconciler, session } from '../../../src/machines/index.ts'
import { type HarnessSession, machineHarness, type MachineHarness } from '../../../src/testing/index.ts'

export const A = 'user:a'
export const B = 'user:b'
export const C = 'user:c'
export const ADMIN = 'admin:ada'
export const ANALYST = 'worker:eye'
export const FACILITATOR = 'worker:guide'
export const SID = 'ses-1'
export const SEED = '0123456789abcdef0123456789abcdef'

export const MINUTE = 60_000
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

export const other = (user: string): string => (user === A ? B : A)

export type Answer = { readonly [key: string]: Value }
export type Told = readonly [topic: string, body: Answer]

/** A result without a gap, and changes to it. */
export const result = (changes: Answer = {}): Answer => ({
  score: 90,
  severity: 'none',
  action: 'PROCEED',
  focus: null,
  correctlyIdentified: ['tired'],
  missedFeelings: [],
  misattributions: [],
  mostImportantGap: null,
  rationale: 'RATIONALE',
  sharingWouldHelp: false,
  guidance: { areaHint: 'HINT', guidanceType: 'TYPE', promptSeed: 'SEED' },
  suggestion: null,
  ...changes,
})

/** One that has the subject offered to share something. */
export const GAPS = result({
  score: 40,
  severity: 'significant',
  action: 'OFFER_SHARING',
  focus: 'FOCUS',
  missedFeelings: ['MISSED'],
  mostImportantGap: 'GAP',
  sharingWouldHelp: true,
  suggestion: { content: 'SUGGESTION', reason: 'REASON' },
})

const ACT: { readonly [status: string]: (world: World) => unknown } = {
  HELD: (world) => world.consent(A),
  ANALYZING: (world) => world.put('HELD').feelHeard(B),
  AWAITING_SHARING: (world) => world.put('ANALYZING').analysis(A, GAPS),
  REFINING: (world) => world.put('AWAITING_SHARING').respond('accept'),
  READY: (world) => world.put('ANALYZING').analysis(A, result()),
  REVEALED: (world) => world.put('READY').partnerReady(),
  VALIDATED: (world) => world.put('REVEALED').ok(B, 'validate', { validated: true }),
}

/** The machines session, gates and reconciler under the real session layer, and one dialogue of A and B. */
export class World {
  readonly harness: MachineHarness<readonly MachineDefinition[]>
  private readonly sessions = new Map<string, HarnessSession<readonly MachineDefinition[]>>()

  constructor(machine: MachineDefinition = reconciler, others: readonly MachineDefinition[] = [session, gates]) {
    // PERF: what a machine may not use is looked for by checkMachine; here it would double the time.
    this.harness = machineHarness([...others, machine], { guard: false })
    for (const principal of [A, B, C, ADMIN]) this.of(principal)
    this.sessions.set(FACILITATOR, this.open(FACILITATOR, ['facilitator']))
    this.sessions.set(ANALYST, this.open(ANALYST, ['analysis']))
    const { invitationId = null } = this.call(A, 'session', 'create', {
      invitee: { kind: 'email', ref: 'b@x.io' },
      tokenSeed: SEED,
      sendNow: true,
    })
    this.call(B, 'session', 'acceptInvitation', { invitationId, token: `${String(invitationId)}-${SEED}` })
    for (const user of [A, B]) this.ok(user, 'signCompact', { agreed: true }, 'gates')
    for (const user of [A, B]) this.ok(user, 'advanceStage', { fromStage: 0, toStage: 1 }, 'gates')
  }

  open(principal: string, roles: readonly string[] = []): HarnessSession<readonly MachineDefinition[]> {
    return this.harness.session(principal, { roles })
  }

  of(principal: string): HarnessSession<readonly MachineDefinition[]> {
    const known = this.sessions.get(principal) ?? this.open(principal)
    this.sessions.set(principal, known)
    return known
  }

  send(by: string, name: string, input: Answer = {}, machine = 'reconciler'): { code: string; value: Answer } {
    const outcome = this.of(by).execute(machine, name, { sid: SID, ...input })
    if (outcome.kind === 'ok') return { code: 'ok', value: outcome.value as Answer }
    return { code: outcome.code, value: outcome.details as Answer }
  }

  ok(by: string, name: string, input: Answer = {}, machine = 'reconciler'): Answer {
    const { code, value } = this.send(by, name, input, machine)
    if (code !== 'ok') throw new Error(`${name} of ${by} was refused: ${code} ${JSON.stringify(value)}`)
    return value
  }

  code(by: string, name: string, input: Answer = {}, machine = 'reconciler'): string {
    return this.send(by, name, input, machine).code
  }

  ask(by: string, name: string, input: Answer = {}, machine = 'reconciler'): { code: string; value: Value } {
    const outcome = this.of(by).query(machine, name, { sid: SID, ...input })
    return outcome.kind === 'ok' ? { code: 'ok', value: outcome.value } : { code: outcome.code, value: outcome.details }
  }

  answer(by: string, name: string, input: Answer = {}, machine = 'reconciler'): Answer {
    const { code, value } = this.ask(by, name, input, machine)
    if (code !== 'ok') throw new Error(`${name} was refused: ${code} ${JSON.stringify(value)}`)
    return value as Answer
  }

  told(principal: string): readonly Told[] {
    const given = this.of(principal)
    const notes = given.requests.flatMap(({ payload }) => {
      const { topic, body } = payload as { topic?: string; body?: Answer }
      return topic === undefined ? [] : [[topic, body ?? {}] as const]
    })
    given.acknowledge()
    return notes
  }

  topics = (principal: string): readonly string[] => this.told(principal).map(([topic]) => topic)

  /** The status of a direction, null for none. */
  status(guesser: string = A): Value {
    return this.row('attempts', guesser)?.['status'] ?? null
  }

  /** A row of a guesser's direction. */
  row(table: string, guesser: string = A): Answer | null {
    const rows = this.harness.table('reconciler', table) as readonly (readonly [readonly Value[], Answer])[]
    return rows.find(([[sid, of]]) => sid === SID && of === guesser)?.[1] ?? null
  }

  rows(table: string): readonly (readonly [readonly Value[], Answer])[] {
    return this.harness.table('reconciler', table) as readonly (readonly [readonly Value[], Answer])[]
  }

  /** The messages that a person reads, as role, kind and text. */
  messages(reader: string): readonly { readonly seq: number; readonly said: string; readonly text: Value }[] {
    const rows = this.of(reader).query('session', 'history', { sid: SID, limit: 100 })
    if (rows.kind !== 'ok') throw new Error(rows.code)
    return (rows.value as readonly Answer[]).map(({ seq, role, kind, text }) => ({
      seq: Number(seq),
      said: String(kind ?? role),
      text: text ?? null,
    }))
  }

  /** Brings somebody to stage 2, with feeling heard. */
  feelHeard(user: string): this {
    this.ok(user, 'confirmFeelHeard', { confirmed: true }, 'gates')
    this.ok(user, 'advanceStage', { fromStage: 1, toStage: 2 }, 'gates')
    return this
  }

  stageOf(user: string): number {
    return Number((this.answer(user, 'progress', {}, 'gates')['own'] as Answer)['stage'])
  }

  draft(user: string, content = `how ${user} sees it`, readyToShare = true): this {
    if (this.stageOf(user) === 1) this.feelHeard(user)
    this.ok(user, 'saveEmpathyDraft', { content, readyToShare }, 'gates')
    return this
  }

  consent(user: string, content = `how ${user} sees it`): Answer {
    this.draft(user, content)
    return this.ok(user, 'consent', { draftVersion: 1 })
  }

  /** The open task of a kind, for a guesser's direction. */
  task(kind = 'reconciler.analyze', guesser: string = A) {
    const task = this.harness.tasks.find(
      (open) => open.kind === kind && (open.payload as { guesser?: string }).guesser === guesser,
    )
    if (task === undefined) throw new Error(`there is no task ${kind} of ${guesser}`)
    return task
  }

  /** What a worker found about a guess. */
  analysis(guesser: string, found: Answer = result()): this {
    const outcome = this.of(ANALYST).complete(this.task('reconciler.analyze', guesser), found)
    if (outcome.kind !== 'ok') throw new Error(`${outcome.code} ${JSON.stringify(outcome.details)}`)
    return this
  }

  offerId = (guesser: string = A): string => String(this.offer(guesser)?.['id'] ?? null)

  /** The one offer of a direction, however it ended. */
  offer(guesser: string = A): Answer | null {
    const offers = (this.row('directions', guesser)?.['offers'] ?? []) as readonly Answer[]
    return offers[0] ?? null
  }

  /** What the subject does with the offer about a guess. */
  respond(action: 'accept' | 'decline', guesser: string = A): this {
    this.ok(other(guesser), 'respondOffer', { offerId: this.offerId(guesser), action })
    return this
  }

  /** B's guess about A, ready: A feels heard, and no gap is found. */
  partnerReady(): this {
    if (this.stageOf(A) === 1) this.feelHeard(A)
    this.consent(B)
    return this.analysis(B)
  }

  /** A's direction in a status, with the least that brings it there. */
  put(status: string): this {
    const act = ACT[status]
    if (act === undefined) throw new Error(`nothing leads to ${status}`)
    act(this)
    return this
  }

  /** A's in other words, of which nothing is amiss. */
  resubmitted(): this {
    this.ok(A, 'resubmit', { content: `how ${A} sees it now` })
    return this.analysis(A)
  }

  /** Both shown, and A's sent back. */
  sentBack(): this {
    this.put('REVEALED')
    this.ok(B, 'validate', { validated: false, feedback: 'not quite' })
    return this
  }

  private call(by: string, machine: string, name: string, input: Answer): Answer {
    const outcome = this.of(by).execute(machine, name, input)
    if (outcome.kind !== 'ok') throw new Error(`${name}: ${outcome.code} ${JSON.stringify(outcome.details)}`)
    return outcome.value as Answer
  }
}

export const world = (status?: string): World => (status === undefined ? new World() : new World().put(status))
