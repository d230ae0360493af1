/**
 * Why the rows that entries of limbo may write are not known: a kind of entry that is not followed (`kind`), a timer that is
 * due before one, a command that changes tasks, waits or schedules or asks which users are known (`principals`), an error of
 * the engine, more entries or rows than are looked at (`tooMany`), or an entry that was applied meanwhile (`moved`).
 */
export type LimboRefusal = 'kind' | 'timer' | UnfollowedTable | 'engine' | 'tooMany' | 'moved'
/** What an entry of limbo may not change. */
export type UnfollowedTable = 'tasks' | 'principals' | 'waits' | 'schedules'
