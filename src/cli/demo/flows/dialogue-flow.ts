import { HOUR_MS } from '../../../base/time.ts'
import { textField } from '../../payments/outcome.ts'
import type { Flow, Stage } from '../flow.ts'
import { playStages, type Meeting } from './stages-flow.ts'

/** Drawn by the client, because a machine has no secrets; here it is everybody's. */
const TOKEN_SEED = '0123456789abcdef0123456789abcdef'

/**
 * The canonical flow of the machine session (domain.md §1.9), with that of gates (domain.md §2.9) as its step 9. Nothing
 * waits for a clock: where the design lets an hour pass, the one who paused resumes, who may at any time.
 *
 * `exchange`: the cluster has the machine `reconciler`. Without it nobody leaves stage 2, and the dialogue is given up there.
 */
export function dialogueFlow({ exchange }: { readonly exchange: boolean }): Flow {
  return {
    title: 'Two people, a dialogue, and its five stages',
    cast: {
      ann: { principal: 'user:ann', roles: [], is: 'a client: she begins' },
      ben: { principal: 'user:ben', roles: [], is: 'another client: he is invited' },
      courier: { principal: 'worker:courier', roles: ['delivery'], is: 'a worker: it delivers invitations' },
      analyst: { principal: 'worker:analyst', roles: ['analysis'], is: 'a worker: it reads, and suggests' },
    },
    last: 'session.list',
    play: async (stage) => {
      const meeting = await meet(stage)
      await pause(stage, meeting)
      const agreed = await playStages(stage, meeting, exchange)
      if (agreed) await resolve(stage, meeting)
      else await giveUp(stage, meeting)
    },
  }
}

async function meet(stage: Stage): Promise<Meeting> {
  stage.scene('1', 'Ann begins a dialogue with Ben, of whom she has an address. The invitation is a draft.')
  const invitee = { kind: 'email', ref: 'ben@x.io' }
  const created = await stage.act(
    'ann',
    'session.create',
    { invitee, tokenSeed: TOKEN_SEED },
    {
      gives: { session: { status: 'CREATED' } },
      shows: ['invitationId'],
    },
  )
  const invitationId = textField(created, 'invitationId') ?? ''
  const invited = { invitationId, token: `${invitationId}-${TOKEN_SEED}` }
  const sid = textField((created as { readonly session: unknown }).session, 'id') ?? ''

  stage.scene('2', 'Ben has heard of it, and is too early.')
  await stage.act('ben', 'session.acceptInvitation', invited, { refused: 'INVITATION_NOT_SENT' })

  stage.scene('3', 'She sends it: the cluster gives a worker the task of delivering it.')
  await stage.act('ann', 'session.invite', { sid }, { gives: { session: { status: 'INVITED' } } })
  await stage.work('courier', 'invitation.deliver', {})

  stage.scene('4', 'Ben accepts.')
  await stage.act('ben', 'session.acceptInvitation', invited, {
    gives: { session: { status: 'ACTIVE' } },
    told: { ann: [['session.activated', { partnerId: stage.principal('ben') }]] },
  })
  return { sid }
}

async function pause(stage: Stage, { sid }: Meeting): Promise<void> {
  stage.scene('5', 'What Ann writes is for her alone, until she says otherwise.')
  await stage.act('ann', 'session.postMessage', { sid, text: 'I do not know how to begin.' }, { gives: { seq: 1 } })
  await stage.ask('ben', 'session.history', { sid }, { gives: [] })

  stage.scene('6', 'It is too much for her. She pauses, for an hour at least.')
  await stage.act(
    'ann',
    'session.pause',
    { sid, reason: 'too much', coolForMs: HOUR_MS },
    {
      gives: { session: { status: 'PAUSED' } },
      told: { ben: [['session.paused', { by: stage.principal('ann'), reason: 'too much' }]] },
    },
  )

  stage.scene('7', 'In a pause nobody writes, and Ben cannot end it before its time. What he feels he may note.')
  await stage.act('ben', 'session.postMessage', { sid, text: 'Are you there?' }, { refused: 'SESSION_NOT_ACTIVE' })
  await stage.act('ben', 'session.recordEmotion', { sid, intensity: 7 }, { gives: { reading: { intensity: 7 } } })
  await stage.act('ben', 'session.resume', { sid }, { refused: 'COOLING' })

  stage.scene('8', 'Ann can, whenever she likes.')
  await stage.act(
    'ann',
    'session.resume',
    { sid },
    {
      gives: { session: { status: 'ACTIVE' } },
      told: { ben: [['session.resumed', { by: stage.principal('ann') }]] },
    },
  )
}

async function resolve(stage: Stage, { sid }: Meeting): Promise<void> {
  stage.scene('10', 'They are done. What was written stays to be read, and nothing can be added.')
  await stage.act(
    'ann',
    'session.resolve',
    { sid },
    {
      gives: { session: { status: 'RESOLVED' } },
      told: { ann: [['session.resolved']], ben: [['session.resolved']] },
    },
  )
  await stage.act('ben', 'session.postMessage', { sid, text: 'Thank you.' }, { refused: 'SESSION_NOT_ACTIVE' })
  await stage.ask(
    'ben',
    'session.history',
    { sid },
    {
      gives: [{ text: 'You were alone.' }, { kind: 'ALIGNMENT_OK' }, { kind: 'QUALITY_REVIEW_OK' }],
    },
  )
}

async function giveUp(stage: Stage, { sid }: Meeting): Promise<void> {
  stage.scene('10', 'Here it ends: there is no machine that brings guesses to the other one. Ann withdraws.')
  await stage.act(
    'ann',
    'session.withdraw',
    { sid },
    {
      gives: { session: { status: 'ABANDONED' } },
      told: { ben: [['session.abandoned', { cause: 'WITHDRAWN' }]] },
    },
  )
}
