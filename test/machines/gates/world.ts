import { z } from 'zod'
import type { Value } from '../../../src/codec/value/value.ts'
import { command, defineMachine, type MachineDefinition, on } from '../../../src/machine/index.ts'
import { exchangeTables } from '../../../src/machines/gates/facts/exchange.ts'
import { gates, gatesEvents, reconcilerEvents, session } from '../../../src/machines/index.ts'
import { type HarnessSession, machineHarness, type MachineHarness } from '../../../src/testing/index.ts'

export const A = 'user:a'
export const B = 'user:b'
export const C = 'user:c'
export const ADMIN = 'admin:ada'
export const FACILITATOR = 'worker:guide'
export const ANALYST = 'worker:eye'
export const SID = 'ses-1'
const SEED = '0123456789abcdef0123456789abcdef'

export const other = (user: string): string => (user === A ? B : A)

const attempt = z.object({ sid: z.string(), guesser: z.string(), status: z.string().nullable() })

/** An attempt as it stands, for a test that says what became of it. */
export function attemptRow(status: string): unknown {
  const shown = status === 'REVEALED' || status === 'VALIDATED'
  return {
    id: 'att-1',
    status,
    content: 'a guess',
    sharedAt: 1,
    consentedAs: 'HELD',
    hidden: false,
    revealedContent: shown ? 'a guess' : null,
    revealedAt: shown ? 1 : null,
    lastRevealedAt: shown ? 1 : null,
    delivery: shown ? 'DELIVERED' : 'PENDING',
    deliveredAt: shown ? 1 : null,
    seenAt: null,
    remindAt: null,
    taskId: null,
  }
}

/**
 * Stands for the machine reconciler where a test is about gates alone: a test says what becomes of an attempt, and it is taken
 * back when its consent is revoked before anything was shown.
 */
export const reconciler = defineMachine(
  'reconciler',
  { version: 1, state: exchangeTables.schema.state, events: reconcilerEvents.shapes },
  {
    commands: {
      put: command({ input: attempt, output: z.null() }, (given: unknown, { sid, guesser, status }) => {
        const { attempts } = (given as ExchangeContext).state
        if (status === null) attempts.delete([sid, guesser])
        else attempts.set([sid, guesser], attemptRow(status))
        return null
      }),
    },
    on: [
      on(gatesEvents, 'EmpathyConsentRevoked', (given: unknown, { sid, guesser }) => {
        ;(given as ExchangeContext).state.attempts.delete([sid, guesser])
      }),
    ],
  } as never,
) as MachineDefinition

interface ExchangeContext {
  readonly state: {
    readonly attempts: { set(key: readonly string[], row: unknown): void; delete(key: readonly string[]): boolean }
  }
}

export type Answer = { readonly [key: string]: Value }
export type Told = readonly [topic: string, body: Answer]

/** The machines session and gates under the real session layer. */
export class World {
  readonly harness: MachineHarness<readonly MachineDefinition[]>
  private readonly sessions = new Map<string, HarnessSession<readonly MachineDefinition[]>>()

  /** `machine` may be gates with something more to it, `more` whatever listens. */
  constructor(machine: MachineDefinition = gates, more: readonly MachineDefinition[] = []) {
    // PERF: what a machine may not use is looked for by checkMachine; here it would double the time.
    this.harness = machineHarness([session, machine, reconciler, ...more], { guard: false })
    for (const principal of [A, B, C, ADMIN]) this.of(principal)
    this.sessions.set(FACILITATOR, this.open(FACILITATOR, ['facilitator']))
  }

  open(principal: string, roles: readonly string[] = []): HarnessSession<readonly MachineDefinition[]> {
    return this.harness.session(principal, { roles })
  }

  /** A worker that does the tasks of gates; there is none before. */
  analyst(): void {
    this.sessions.set(ANALYST, this.open(ANALYST, ['analysis']))
  }

  of(principal: string): HarnessSession<readonly MachineDefinition[]> {
    const known = this.sessions.get(principal) ?? this.open(principal)
    this.sessions.set(principal, known)
    return known
  }

  send(by: string, name: string, input: Value, machine = 'gates'): { readonly code: string; readonly value: Answer } {
    const outcome = this.of(by).execute(machine, name, input)
    if (outcome.kind === 'ok') return { code: 'ok', value: outcome.value as Answer }
    return { code: outcome.code, value: outcome.details as Answer }
  }

  /** Of ses-1, unless the input says otherwise. */
  ok(by: string, name: string, input: Answer = {}, machine = 'gates'): Answer {
    const { code, value } = this.send(by, name, { sid: SID, ...input }, machine)
    if (code !== 'ok') throw new Error(`${name} of ${by} was refused: ${code} ${JSON.stringify(value)}`)
    return value
  }

  /** The code, with `unsatisfied`, `reason` or the like left to the caller. */
  code(by: string, name: string, input: Answer = {}, machine = 'gates'): string {
    return this.send(by, name, { sid: SID, ...input }, machine).code
  }

  refused(by: string, name: string, input: Answer = {}): { readonly code: string; readonly value: Answer } {
    const answer = this.send(by, name, { sid: SID, ...input })
    if (answer.code === 'ok') throw new Error(`${name} was not refused: ${JSON.stringify(answer.value)}`)
    return answer
  }

  ask(
    by: string,
    name: string,
    input: Answer = {},
    machine = 'gates',
  ): { readonly code: string; readonly value: Value } {
    const outcome = this.of(by).query(machine, name, { sid: SID, ...input })
    return outcome.kind === 'ok' ? { code: 'ok', value: outcome.value } : { code: outcome.code, value: outcome.details }
  }

  answer(by: string, name: string, input: Answer = {}, machine = 'gates'): Answer {
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

  /** The verdicts of queries, with the items of those that are allowed: `retrieve`, and then `retrieved` of each. */
  retrieve(
    by: string,
    queries: readonly Value[],
    more: Answer = {},
  ): { readonly verdicts: Value; readonly bundle: Value } {
    const { verdicts, bundle } = this.ok(by, 'retrieve', { queries, ...more }) as {
      verdicts: Value
      bundle: readonly { position: number; seq: number }[]
    }
    return {
      verdicts,
      bundle: bundle.map(({ position, seq }) => {
        const { items = null } = this.answer(by, 'retrieved', { seq, ...more })
        return { position, items }
      }),
    }
  }

  /** Ends the open task of a kind with a result. */
  complete(kind: string, result: Value): void {
    const task = this.task(kind)
    const outcome = this.of(ANALYST).complete(task, result)
    if (outcome.kind !== 'ok') throw new Error(`${kind}: ${outcome.code} ${JSON.stringify(outcome.details)}`)
  }

  task(kind: string) {
    const task = this.harness.tasks.find((open) => open.kind === kind)
    if (task === undefined) throw new Error(`there is no task ${kind}`)
    return task
  }

  attempt(guesser: string, status: string | null): void {
    this.ok(ADMIN, 'put', { guesser, status }, 'reconciler')
  }

  /** Both at a stage from 0 to 4, with the least that brings them there. */
  both(stage: number): this {
    this.begin()
    if (stage > 0) for (const user of [A, B]) this.ok(user, 'signCompact', { agreed: true })
    for (let from = 0; from < stage; from += 1) this.leave(from)
    return this
  }

  begin(): void {
    this.again()
  }

  /** Another dialogue by an invitation to the same address, which `by` accepts; the one before is over. */
  again(by: string = B): Answer {
    const { invitationId = null } = this.create({ kind: 'email', ref: 'b@x.io' })
    const accepted = this.send(by, 'acceptInvitation', { invitationId, token: `${invitationId}-${SEED}` }, 'session')
    if (accepted.code !== 'ok') throw new Error(accepted.code)
    return accepted.value
  }

  /** A invites somebody. */
  create(invitee: Answer): Answer {
    const { code, value } = this.send(A, 'create', { invitee, tokenSeed: SEED, sendNow: true }, 'session')
    if (code !== 'ok') throw new Error(code)
    return value
  }

  /** What a stage needs, of both, and both go on. */
  leave(from: number): void {
    if (from === 1) for (const user of [A, B]) this.ok(user, 'confirmFeelHeard', { confirmed: true })
    if (from === 2) this.exchange()
    if (from === 3) this.findCommonGround()
    for (const user of [A, B]) this.ok(user, 'advanceStage', { fromStage: from, toStage: from + 1 })
  }

  exchange(): void {
    for (const user of [A, B]) {
      this.ok(user, 'saveEmpathyDraft', { content: `how ${user} sees it`, readyToShare: true })
      this.attempt(user, 'VALIDATED')
    }
  }

  /** A need of a person, confirmed. */
  need(user: string, description = `${user} wants rest`): string {
    const { needId } = this.ok(user, 'addNeed', { need: 'rest', category: 'SAFETY', description })
    this.ok(user, 'confirmNeeds', { confirmations: [{ needId: String(needId), confirmed: true }] })
    return String(needId)
  }

  /** Something that a worker asked for and the owner granted. */
  granted(owner: string, contentType: string, originalId: string, transformedPreview = 'a wording'): string {
    const given = { owner, contentType, originalId, transformedPreview }
    const { consentId = null } = this.ok(FACILITATOR, 'proposeConsent', given)
    return String(this.ok(owner, 'decideConsent', { consentId, decision: 'GRANTED' })['consentId'])
  }

  share(user: string, needId: string): string {
    const { consentIds } = this.ok(user, 'shareNeeds', { needIds: [needId] })
    return String((consentIds as readonly string[])[0])
  }

  /** One item, named by A and confirmed by both; the consents of both. */
  findCommonGround(): { readonly cgId: string; readonly consents: readonly [string, string] } {
    const [ofA = '', ofB = ''] = [A, B].map((user) => this.share(user, this.need(user)))
    const item = { need: 'rest', category: 'SAFETY', description: 'both want rest', needA: ofA, needB: ofB }
    const cgId = String(this.ok(A, 'proposeCommonGround', item)['cgId'])
    this.ok(B, 'confirmCommonGround', { confirmations: [{ cgId, confirmed: true }] })
    return { cgId, consents: [ofA, ofB] }
  }

  strategy(user: string, description = `idea of ${user}`): string {
    return String(this.ok(user, 'proposeStrategy', { description })['strategyId'])
  }

  /** At stage 4: one strategy of each, ranked alike by both. */
  rank(rankings: readonly [readonly string[], readonly string[]] | null = null): readonly string[] {
    const pool = [A, B].map((user) => this.strategy(user))
    for (const user of [A, B]) this.ok(user, 'markStrategiesReady')
    const [one, two] = rankings ?? [pool, pool]
    this.ok(A, 'submitRanking', { rankedIds: one })
    this.ok(B, 'submitRanking', { rankedIds: two })
    return pool
  }

  agreement(by = A, more: Answer = {}): string {
    const given = { description: 'a walk on Sundays', type: 'MICRO_EXPERIMENT', ...more }
    return String(this.ok(by, 'createAgreement', given)['agreementId'])
  }
}

/** A world in which both stand at a stage. */
export const at = (stage: number): World => new World().both(stage)

/** What a person is told because of something. */
export function toldBy(world: World, principal: string, run: () => unknown): readonly Told[] {
  world.told(principal)
  run()
  return world.told(principal)
}

/** A task that no worker took fails within it (domain.md §0.7). */
export const QUEUE_DEADLINE_MS = 16 * 60_000
