import type { Value } from '../../../client/index.ts'
import { type AnalysisQuestion, stubAnalysis, stubRefinement } from '../../../machines/index.ts'
import { textField } from '../../payments/outcome.ts'
import type { Flow, Stage, Told } from '../flow.ts'

/** Drawn by the client, because a machine has no secrets; here it is everybody's. */
const TOKEN_SEED = '0123456789abcdef0123456789abcdef'
/** What each says of the own week: a worker compares the other one's guess with it. */
const WORDS = {
  ann: 'I was worried, and felt alone.',
  ben: 'I was ill all week. I felt ashamed and could not tell you.',
} as const
type Person = keyof typeof WORDS
const PEOPLE = ['ann', 'ben'] as const
const other = (person: Person): Person => (person === 'ann' ? 'ben' : 'ann')

/**
 * The canonical flow of the machine reconciler (domain.md §4.10), after what two people need of session and gates to come to
 * it. The worker has no model: it counts words (`stubAnalysis`).
 */
export const exchangeFlow: Flow = {
  title: 'Two guesses, each shown to the other one when both are ready',
  cast: {
    ann: { principal: 'user:ann', roles: [], is: 'a client: she guesses how it is for Ben' },
    ben: { principal: 'user:ben', roles: [], is: 'another client: he guesses how it is for Ann' },
    courier: { principal: 'worker:courier', roles: ['delivery'], is: 'a worker: it delivers invitations' },
    analyst: { principal: 'worker:analyst', roles: ['analysis'], is: 'a worker: it alone sees both sides' },
  },
  last: 'session.list',
  play: async (stage) => {
    const exchange = new ExchangeOfGuesses(stage, await meet(stage))
    await exchange.guess()
    const offerId = await exchange.offer()
    await exchange.share(offerId)
    await exchange.reveal()
    await exchange.revise()
    await exchange.validate()
  },
}

async function meet(stage: Stage): Promise<string> {
  stage.scene('0', 'Ann and Ben have begun a dialogue, signed what both sign, and each has said how the week was.')
  const invitee = { kind: 'email', ref: 'ben@x.io' }
  const created = await stage.act(
    'ann',
    'session.create',
    { invitee, tokenSeed: TOKEN_SEED, sendNow: true },
    { gives: { session: { status: 'INVITED' } }, shows: ['invitationId'] },
  )
  const sid = textField((created as { readonly session: unknown }).session, 'id') ?? ''
  const invitationId = textField(created, 'invitationId') ?? ''
  await stage.work('courier', 'invitation.deliver', {})
  const token = `${invitationId}-${TOKEN_SEED}`
  await stage.act(
    'ben',
    'session.acceptInvitation',
    { invitationId, token },
    { gives: { session: { status: 'ACTIVE' } }, told: { ann: [['session.activated']] } },
  )
  for (const person of PEOPLE) {
    const told = { [other(person)]: [['partner.signed_compact']] as const }
    await stage.act(person, 'gates.signCompact', { sid, agreed: true }, { gives: { signed: true }, told })
  }
  for (const person of PEOPLE) await advance(stage, sid, { person, fromStage: 0 })
  for (const person of PEOPLE) await stage.act(person, 'session.postMessage', { sid, text: WORDS[person] }, {})
  return sid
}

async function advance(
  stage: Stage,
  sid: string,
  { person, fromStage }: { readonly person: Person; readonly fromStage: number },
): Promise<void> {
  const toStage = fromStage + 1
  const told = { [other(person)]: [['partner.advanced', { toStage }]] as const }
  await stage.act(person, 'gates.advanceStage', { sid, fromStage, toStage }, { gives: { stage: toStage }, told })
}

class ExchangeOfGuesses {
  private readonly stage: Stage
  private readonly sid: string

  constructor(stage: Stage, sid: string) {
    this.stage = stage
    this.sid = sid
  }

  async guess(): Promise<void> {
    const { stage } = this
    stage.scene('1', 'Ann feels heard, and shares a guess. Ben hears that there is one, and no word of it.')
    await this.feelHeard('ann')
    await advance(stage, this.sid, { person: 'ann', fromStage: 1 })
    await this.consent('ann', 'You were angry with me.', 'HELD')
    stage.scene('2', 'It is held until Ben feels heard, too. Then a worker is asked what is missing in it.')
    await this.feelHeard('ben')
  }

  async offer(): Promise<string> {
    const { stage, sid } = this
    stage.scene('3', 'The worker finds a gap. Ben is asked whether he would share something that helps.')
    await this.analyze({
      ann: [['empathy.status_updated', { status: 'AWAITING_SHARING' }], ['empathy.partner_considering_share']],
      ben: [['empathy.share_suggestion', { contentVersion: 1 }]],
    })
    stage.scene('4', 'He looks at what it suggests: his own words.')
    const offer = await stage.act(
      'ben',
      'reconciler.viewOffer',
      { sid },
      { gives: { content: WORDS.ben }, shows: ['offerId'] },
    )
    const offerId = textField(offer, 'offerId') ?? ''
    stage.scene('5', 'That is too much. He has it worded anew.')
    await stage.act('ben', 'reconciler.refineOffer', { sid, offerId, instruction: 'only the first sentence' }, {})
    await stage.work(
      'analyst',
      'share.refine',
      // What a worker is given of this kind has the wording in it.
      (payload) => stubRefinement(payload as { readonly content: string }),
      { told: { ben: [['empathy.share_suggestion', { contentVersion: 2 }]] } },
    )
    return offerId
  }

  async share(offerId: string): Promise<void> {
    const { stage, sid } = this
    const accept = { sid, offerId, action: 'accept' }
    stage.scene('6', 'Nothing is shared but the wording that was read. Ann reads it, and is helped while she goes on.')
    const stale = { refused: 'STALE_STATE', details: { expected: 1, actual: 2 } }
    await stage.act('ben', 'reconciler.respondOffer', { ...accept, contentVersion: 1 }, stale)
    const shared = { status: 'shared', sharedContent: 'I was ill all week.' }
    await stage.act(
      'ben',
      'reconciler.respondOffer',
      { ...accept, contentVersion: 2 },
      { gives: shared, told: { ann: [['empathy.refining']] } },
    )
    const own = {
      status: 'REFINING',
      sharedContext: { content: 'I was ill all week.' },
      guidance: { areaHint: 'feelings' },
    }
    await stage.ask('ann', 'reconciler.status', { sid }, { gives: { own } })

    stage.scene('7', 'The same in capitals is no revision.')
    const same = { refused: 'IDENTICAL_RESUBMISSION' }
    await stage.act('ann', 'reconciler.resubmit', { sid, content: 'YOU were  angry with me.' }, same)
    await this.resubmit('You were ill all week.', { revision: 1, resubmitsLeft: 2 })

    stage.scene('8', 'There are gaps still, and no second offer: the guess is ready as it is.')
    await this.analyze({})
    await stage.ask(
      'ann',
      'reconciler.status',
      { sid },
      { gives: { own: { status: 'READY' }, partner: { status: null } } },
    )
  }

  async reveal(): Promise<void> {
    const { stage, sid } = this
    stage.scene('9', 'Meanwhile Ben guesses, and nothing is amiss. Both are ready now, so both are shown at once.')
    await advance(stage, sid, { person: 'ben', fromStage: 1 })
    await this.consent('ben', 'You were worried, and felt alone.', 'ANALYZING')
    const revealed = (...roles: readonly string[]): readonly Told[] =>
      roles.map((role) => ['empathy.revealed', { role }])
    await this.analyze({ ann: revealed('guesser', 'subject'), ben: revealed('subject', 'guesser') })
    const partner = { status: 'REVEALED', statement: 'You were ill all week.' }
    await stage.ask('ben', 'reconciler.status', { sid }, { gives: { partner } })
  }

  async revise(): Promise<void> {
    const { stage, sid } = this
    const feedback = 'I was not only ill.'
    stage.scene(
      '10',
      'For Ben something is missing, and he says what. Ann’s next words are shown without waiting for anybody.',
    )
    await stage.act(
      'ben',
      'reconciler.validate',
      { sid, validated: false, feedback },
      {
        gives: { validated: false, awaitingRevision: true },
        told: { ann: [['empathy.status_updated', { status: 'REFINING', feedback }]] },
      },
    )
    await this.resubmit('You felt ashamed all week, and could not tell me.', { revision: 2, resubmitsLeft: 1 })
    await this.analyze({
      ann: [['empathy.revealed', { role: 'guesser' }]],
      ben: [['empathy.revealed', { role: 'subject' }]],
    })
  }

  async validate(): Promise<void> {
    const { stage, sid } = this
    stage.scene('11', 'Now each finds the guess of the other right.')
    for (const person of ['ben', 'ann'] as const) {
      const told: readonly Told[] = [
        ['empathy.status_updated', { status: 'VALIDATED' }],
        ['partner.stage_completed', { stage: 2 }],
      ]
      await stage.act(
        person,
        'reconciler.validate',
        { sid, validated: true },
        { gives: { validated: true, partnerValidated: person === 'ann' }, told: { [other(person)]: told } },
      )
    }
    await stage.ask(
      'ann',
      'reconciler.status',
      { sid },
      { gives: { own: { status: 'VALIDATED' }, partner: { status: 'VALIDATED' } } },
    )
  }

  private async feelHeard(person: Person): Promise<void> {
    const told = { [other(person)]: [['partner.stage_completed', { stage: 1 }]] as const }
    await this.stage.act(person, 'gates.confirmFeelHeard', { sid: this.sid, confirmed: true }, { told })
  }

  private async consent(person: Person, content: string, status: string): Promise<void> {
    const { stage, sid } = this
    await stage.act(person, 'gates.saveEmpathyDraft', { sid, content, readyToShare: true }, { gives: { version: 1 } })
    const told = { [other(person)]: [['partner.empathy_shared']] as const }
    await stage.act(person, 'reconciler.consent', { sid, draftVersion: 1 }, { gives: { status }, told })
  }

  private async resubmit(content: string, counts: { readonly [name: string]: Value }): Promise<void> {
    const gives = { status: 'ANALYZING', ...counts }
    await this.stage.act('ann', 'reconciler.resubmit', { sid: this.sid, content }, { gives })
  }

  private async analyze(told: { readonly [member: string]: readonly Told[] }): Promise<void> {
    // The payload of this kind is what the stub compares.
    const find = (payload: Value): Value => stubAnalysis(payload as unknown as AnalysisQuestion)
    await this.stage.work('analyst', 'reconciler.analyze', find, { told })
  }
}
