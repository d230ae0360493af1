import type { Booking, RareFacts } from '../facts/rows.ts'

/** Who was in the call of a booking, and who is (domain.md §3.1, §3.6). */

/** The two who meet. */
export const PARTIES = ['client', 'therapist'] as const
export type Party = (typeof PARTIES)[number]

type Attendance = NonNullable<RareFacts['attendance']>

const NOBODY: Attendance = { client: { joinedAt: null, leftAt: null }, therapist: { joinedAt: null, leftAt: null } }

export const otherParty = (party: Party): Party => (party === 'client' ? 'therapist' : 'client')

export const principalOf = (booking: Pick<Booking, 'clientId' | 'therapistId'>, party: Party): string =>
  party === 'client' ? booking.clientId : booking.therapistId

/** Joined and not left since. */
export function isPresent(booking: Pick<Booking, 'rare'>, party: Party): boolean {
  const { joinedAt, leftAt } = attendanceOf(booking)[party]
  return joinedAt !== null && leftAt === null
}

/** Joined at least once, even if the call failed later (domain.md §3.8). */
export const hasAttended = (booking: Pick<Booking, 'rare'>, party: Party): boolean =>
  attendanceOf(booking)[party].joinedAt !== null

/** The party is there from now on. */
export const withJoined = (booking: Pick<Booking, 'rare'>, party: Party, now: number): Attendance => ({
  ...attendanceOf(booking),
  [party]: { joinedAt: now, leftAt: null },
})

/** The party is there no longer. */
export function withLeft(booking: Pick<Booking, 'rare'>, party: Party, now: number): Attendance {
  const attendance = attendanceOf(booking)
  return { ...attendance, [party]: { ...attendance[party], leftAt: now } }
}

/** Nobody is there any more; null when nobody ever was. That somebody had come stays known. */
export function withoutAnybody({ rare }: Pick<Booking, 'rare'>, now: number): Attendance | null {
  const attendance = rare?.attendance ?? null
  if (attendance === null) return null
  const gone = (presence: Attendance[Party]): Attendance[Party] => ({
    joinedAt: presence.joinedAt,
    leftAt: presence.joinedAt === null ? null : (presence.leftAt ?? now),
  })
  return { client: gone(attendance.client), therapist: gone(attendance.therapist) }
}

const attendanceOf = ({ rare }: Pick<Booking, 'rare'>): Attendance => rare?.attendance ?? NOBODY
