/** What a node's log tells, from the most to the least: a level writes its own lines and those of the levels after it. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const

/** `silent` writes nothing. */
export type LogLevel = (typeof LOG_LEVELS)[number]
