import type { Value } from '../../../client/index.ts'
import { field, textField } from '../../payments/outcome.ts'
import type { Stage, Told } from '../flow.ts'

/** A dialogue that is under way. */
export interface Meeting {
  readonly sid: string
}

type Person = 'ann' | 'ben'
const PEOPLE = ['ann', 'ben'] as const
const other = (person: Person): Person => (person === 'ann' ? 'ben' : 'ann')

/**
 * The canonical flow of the machine gates (domain.md §2.9), step 9 of the session's. True: they agreed; false: there is no
 * machine of the exchange, and nobody leaves stage 2.
 */
export async function playStages(stage: Stage, meeting: Meeting, exchange: boolean): Promise<boolean> {
  const stages = new Stages(stage, meeting.sid)
  await stages.compact()
  await stages.heard()
  await stages.guesses(exchange)
  if (!exchange) return false
  await stages.needs()
  await stages.strategies()
  await stages.agreement()
  return true
}

class Stages {
  private readonly stage: Stage
  private readonly sid: string

  constructor(stage: Stage, sid: string) {
    this.stage = stage
    this.sid = sid
  }

  async compact(): Promise<void> {
    const { stage, sid } = this
    stage.scene('9.1', 'Stage 0. Ann signs what both have to sign, and waits: whoever looks sees that.')
    await stage.act(
      'ann',
      'gates.signCompact',
      { sid, agreed: true },
      {
        gives: { signed: true, partnerSigned: false, canAdvance: false },
        told: { ben: [['partner.signed_compact']] },
      },
    )
    await stage.ask('ben', 'session.get', { sid }, { gives: { displayStatus: 'WAITING' } })

    stage.scene('9.2', 'She cannot go on alone.')
    await stage.act(
      'ann',
      'gates.advanceStage',
      { sid, fromStage: 0, toStage: 1 },
      {
        refused: 'GATES_NOT_SATISFIED',
        details: { unsatisfied: ['partnerCompactSigned'] },
      },
    )

    stage.scene('9.3', 'Ben signs, and both go on.')
    await stage.act(
      'ben',
      'gates.signCompact',
      { sid, agreed: true },
      {
        gives: { partnerSigned: true, canAdvance: true },
        told: { ann: [['partner.signed_compact']] },
      },
    )
    for (const person of PEOPLE) await this.advance(person, 0)
  }

  async heard(): Promise<void> {
    this.stage.scene('9.4', 'Stage 1. Ann feels heard, and goes on without waiting for Ben.')
    await this.feelHeard('ann', false)
    await this.advance('ann', 1)
  }

  async guesses(exchange: boolean): Promise<void> {
    const { stage, sid } = this
    stage.scene('9.5', 'Stage 2. She guesses how it is for Ben, and shares the guess; it is held until he is that far.')
    await this.draft('ann', 'You were tired.')
    if (exchange) await this.shareGuess('ann', 'HELD')

    stage.scene('9.6', 'Ben feels heard, follows her, and guesses too.')
    await this.feelHeard('ben', true)
    await this.advance('ben', 1)
    await this.draft('ben', 'You were alone.')
    if (!exchange) return

    stage.scene(
      '9.7',
      'A worker finds nothing amiss in hers. He shares his, nothing amiss either: both are shown at once.',
    )
    await stage.work('analyst', 'reconciler.analyze', NO_GAP)
    await this.shareGuess('ben', 'ANALYZING')
    const revealed = (...roles: readonly string[]): readonly Told[] =>
      roles.map((role) => ['empathy.revealed', { role }])
    await stage.work('analyst', 'reconciler.analyze', NO_GAP, {
      told: { ann: revealed('guesser', 'subject'), ben: revealed('subject', 'guesser') },
    })
    await stage.act(
      'ann',
      'gates.advanceStage',
      { sid, fromStage: 2, toStage: 3 },
      {
        refused: 'GATES_NOT_SATISFIED',
        details: { unsatisfied: ['partnerValidated'] },
      },
    )

    stage.scene(
      '9.8',
      'Each finds the guess of the other right, and both go on. A worker reads for each what they need.',
    )
    for (const person of PEOPLE) {
      await stage.act(
        person,
        'reconciler.validate',
        { sid, validated: true },
        {
          gives: { validated: true, partnerValidated: person === 'ben' },
          told: {
            [other(person)]: [
              ['empathy.status_updated', { status: 'VALIDATED' }],
              ['partner.stage_completed', { stage: 2 }],
            ],
          },
        },
      )
    }
    for (const person of PEOPLE) await this.advance(person, 2)
    await stage.work('analyst', 'needs.synthesize', found('rest', 'quiet'))
    await stage.work('analyst', 'needs.synthesize', found('rest', 'time'))
  }

  async needs(): Promise<void> {
    const { stage, sid } = this
    stage.scene(
      '9.9',
      'Stage 3. Each confirms what was found, and shares one need; then a worker looks for common ground.',
    )
    const shared = []
    for (const person of PEOPLE) shared.push(await this.shareFirstNeed(person))
    const [sourceNeedA = '', sourceNeedB = ''] = shared
    const item = { need: 'rest', category: 'SAFETY', description: 'Both need rest.', sourceNeedA, sourceNeedB }
    const ready: readonly Told[] = [['common_ground.ready', { count: 1 }]]
    await stage.work('analyst', 'common_ground.analyze', { items: [item] }, { told: { ann: ready, ben: ready } })
    const ground = await stage.ask('ann', 'gates.commonGround', { sid }, { gives: { items: [{ need: 'rest' }] } })
    const cgId = textField(first(field(ground, 'items') as Value), 'id') ?? ''
    for (const person of PEOPLE) {
      await stage.act(
        person,
        'gates.confirmCommonGround',
        { sid, confirmations: [{ cgId, confirmed: true }] },
        {
          gives: { allConfirmedByBoth: person === 'ben' },
        },
      )
    }
    for (const person of PEOPLE) await this.advance(person, 3)
  }

  async strategies(): Promise<void> {
    const { stage, sid } = this
    stage.scene('9.10', 'Stage 4. Each has an idea; the pool shows no names. Both rank, and see what both like.')
    const walk = await this.propose('ann', 'A walk on Sundays.', 1)
    const door = await this.propose('ben', 'A door that may be closed.', 2)
    await stage.act(
      'ann',
      'gates.markStrategiesReady',
      { sid },
      {
        gives: { phase: 'COLLECTING' },
        told: { ben: [['strategies.ready']] },
      },
    )
    await stage.act(
      'ben',
      'gates.markStrategiesReady',
      { sid },
      {
        gives: { phase: 'RANKING' },
        told: { ann: [['strategies.ready']] },
      },
    )
    await stage.act(
      'ann',
      'gates.submitRanking',
      { sid, rankedIds: [walk, door] },
      {
        gives: { phase: 'RANKING' },
        told: { ben: [['partner.ranking_submitted']] },
      },
    )
    const overlap: Told = ['strategies.overlap', { count: 1 }]
    await stage.act(
      'ben',
      'gates.submitRanking',
      { sid, rankedIds: [door] },
      {
        gives: { phase: 'REVEALING', overlap: [door] },
        told: { ann: [['partner.ranking_submitted'], overlap], ben: [overlap] },
      },
    )
  }

  async agreement(): Promise<void> {
    const { stage, sid } = this
    stage.scene('9.11', 'Ann proposes to try it, and Ben agrees.')
    const proposed = { sid, description: 'We try the door for a week.', type: 'MICRO_EXPERIMENT' }
    const made = await stage.act('ann', 'gates.createAgreement', proposed, {
      gives: { status: 'PROPOSED' },
      told: { ben: [['agreement.proposed']] },
    })
    const agreementId = textField(made, 'agreementId') ?? ''
    await stage.act(
      'ben',
      'gates.confirmAgreement',
      { sid, agreementId, confirmed: true },
      {
        gives: { status: 'AGREED' },
        told: { ann: [['agreement.confirmed']], ben: [['agreement.confirmed']] },
      },
    )
  }

  private async advance(person: Person, fromStage: number): Promise<void> {
    const toStage = fromStage + 1
    await this.stage.act(
      person,
      'gates.advanceStage',
      { sid: this.sid, fromStage, toStage },
      {
        gives: { stage: toStage },
        told: { [other(person)]: [['partner.advanced', { toStage }]] },
      },
    )
  }

  private async feelHeard(person: Person, partnerCompleted: boolean): Promise<void> {
    await this.stage.act(
      person,
      'gates.confirmFeelHeard',
      { sid: this.sid, confirmed: true },
      {
        gives: { canAdvance: true, partnerCompleted },
        told: { [other(person)]: [['partner.stage_completed', { stage: 1 }]] },
      },
    )
  }

  private async draft(person: Person, content: string): Promise<void> {
    const draft = { sid: this.sid, content, readyToShare: true }
    await this.stage.act(person, 'gates.saveEmpathyDraft', draft, { gives: { version: 1, ready: true } })
  }

  private async shareGuess(person: Person, status: string): Promise<void> {
    await this.stage.act(
      person,
      'reconciler.consent',
      { sid: this.sid, draftVersion: 1 },
      {
        gives: { status },
        told: { [other(person)]: [['partner.empathy_shared']] },
      },
    )
  }

  /** Confirms all of them, and shares the first; its consent. */
  private async shareFirstNeed(person: Person): Promise<string> {
    const { stage, sid } = this
    // Of the other one's needs: the words of those that are shared, never what they were found in.
    const partner = person === 'ann' ? [] : [{ transformedContent: 'to have rest' }]
    const known = await stage.ask(person, 'gates.needs', { sid }, { gives: { partner } })
    const own = field(known, 'own')
    const ids = (Array.isArray(own) ? own : []).map((need) => textField(need, 'id') ?? '')
    const confirmations = ids.map((needId) => ({ needId, confirmed: true }))
    await stage.act(
      person,
      'gates.confirmNeeds',
      { sid, confirmations },
      {
        gives: { allConfirmed: true, canShare: true },
        told: { [other(person)]: [['partner.needs_confirmed']] },
      },
    )
    const shared = await stage.act(
      person,
      'gates.shareNeeds',
      { sid, needIds: ids.slice(0, 1) },
      {
        gives: { shared: 1 },
        told: { [other(person)]: [['partner.needs_shared', { count: 1 }]] },
      },
    )
    return String(first(field(shared, 'consentIds') as Value))
  }

  private async propose(person: Person, description: string, total: number): Promise<string> {
    const proposed = await this.stage.act(
      person,
      'gates.proposeStrategy',
      { sid: this.sid, description },
      {
        gives: { total },
        told: { [other(person)]: [['strategies.updated', { total }]] },
      },
    )
    return textField(proposed, 'strategyId') ?? ''
  }
}

/** What a worker finds of a guess that is right. */
const NO_GAP: Value = {
  score: 90,
  severity: 'none',
  action: 'PROCEED',
  focus: null,
  correctlyIdentified: ['tired'],
  missedFeelings: [],
  misattributions: [],
  mostImportantGap: null,
  rationale: '',
  sharingWouldHelp: false,
  guidance: null,
  suggestion: null,
}

/** What a worker finds in somebody's own words. */
function found(...needs: readonly string[]): Value {
  return {
    needs: needs.map((need) => ({
      need,
      category: 'SAFETY',
      description: `to have ${need}`,
      evidence: ['I do not know how to begin.'],
      confidence: 80,
    })),
  }
}

function first(list: Value): Value {
  return (Array.isArray(list) ? list[0] : undefined) ?? null
}
