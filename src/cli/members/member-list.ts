import { fetchMembers } from '../../client/operator/members.ts'
import { asked } from '../sessions/asked.ts'
import { type ListingForm, printListing } from '../terminal/listing.ts'
import { say } from '../terminal/output.ts'

/** `holdfast member list`. */
export async function listMembers(endpoints: readonly string[], form: ListingForm): Promise<void> {
  const { members, by, index, committed, joint } = await asked(fetchMembers(endpoints))
  printListing(form, {
    name: 'members',
    lines: members.map((member) => ({ ...member, leader: member.id === by.node })),
    columns: {
      member: (line) => line.id,
      role: (line) => (line.leader ? `${line.role}, leads` : line.role),
      address: (line) => line.address || null,
      log: (line) => line.matchIndex || null,
      heard: (line) => (line.contactMs === null || line.leader ? null : `${Math.round(line.contactMs)} ms ago`),
      disk: (line) => line.instance.slice(0, 8),
    },
  })
  if (joint || !committed) say(`A change is under way: the configuration of entry ${index} is not the last one.`)
}
