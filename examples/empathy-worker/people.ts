import type { ClientSession, CommandOutcome } from 'holdfast'
import { gates, reconciler, session } from 'holdfast/machines'
import { z } from 'zod'

export const DIALOGUE_MACHINES = [session, gates, reconciler] as const
type Person = ClientSession<typeof DIALOGUE_MACHINES>

/** Drawn by the client, because a machine has no secrets; here it is everybody's. */
const tokenSeed = '0123456789abcdef0123456789abcdef'
const offered = z.object({ offerId: z.string(), contentVersion: z.int() })

/**
 * Two people who guess each other's week, and consent; a worker does the rest. Who is asked to share something has it worded
 * anew once and accepts, and who is helped goes on. Resolves with the dialogue's id once both guesses are revealed.
 */
export async function meet([ann, ben]: readonly [Person, Person], heard: (topic: string) => void): Promise<string> {
  const invitee = { kind: 'email', ref: 'ben@x.io' } as const
  const created = taken(await ann.machines.session.create({ invitee, tokenSeed, sendNow: true }))
  const { id: sid } = created.session
  const { invitationId } = created
  taken(await ben.machines.session.acceptInvitation({ invitationId, token: `${invitationId}-${tokenSeed}` }))
  const revealed = Promise.all([ann, ben].map((person) => untilRevealed(person, sid, heard)))
  const words = [
    [ann, 'I was worried, and felt alone.', 'You were angry with me.'],
    [ben, 'I was ill all week. I felt ashamed.', 'You were worried, and felt alone.'],
  ] as const
  for (const [{ machines }] of words) taken(await machines.gates.signCompact({ sid, agreed: true }))
  for (const [{ machines }, text] of words) {
    taken(await machines.gates.advanceStage({ sid, fromStage: 0, toStage: 1 }))
    taken(await machines.session.postMessage({ sid, text }))
  }
  for (const [{ machines }, , content] of words) {
    taken(await machines.gates.confirmFeelHeard({ sid, confirmed: true }))
    taken(await machines.gates.advanceStage({ sid, fromStage: 1, toStage: 2 }))
    taken(await machines.gates.saveEmpathyDraft({ sid, content, readyToShare: true }))
    taken(await machines.reconciler.consent({ sid, draftVersion: 1 }))
  }
  await revealed
  return sid
}

function untilRevealed(person: Person, sid: string, heard: (topic: string) => void): Promise<void> {
  const { reconciler: exchange } = person.machines
  return new Promise((resolve, reject) => {
    const react = async (topic: string, body: unknown): Promise<void> => {
      heard(topic)
      if (topic === 'empathy.revealed') resolve()
      if (topic === 'empathy.refining') taken(await exchange.skipRefinement({ sid, willingToAccept: true }))
      if (topic !== 'empathy.share_suggestion') return
      const { offerId, contentVersion } = offered.parse(body)
      const refine = { sid, offerId, instruction: 'only the first sentence' }
      if (contentVersion === 1) taken(await exchange.refineOffer(refine))
      else taken(await exchange.respondOffer({ sid, offerId, contentVersion, action: 'accept' }))
    }
    person.on('notification', ({ payload: { topic, body } }) => void react(topic, body).catch(reject))
  })
}

function taken<Value>(outcome: CommandOutcome<Value>): Value {
  if (outcome.kind === 'ok') return outcome.value
  throw new Error(`a command was not executed: ${outcome.code}`)
}
