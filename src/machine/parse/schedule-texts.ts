import { z } from 'zod'
import { CRON_CHARS_MAX, readCron } from '../../calendar/cron.ts'
import { ZONE_CHARS_MAX } from '../../session/schedules/schedule-rows.ts'

/**
 * A cron expression in an input (docs/concepts/schedules.md): five fields. What it refuses is refused before the log, with the
 * place and what to write instead. Not for results of workers, which apply parses: a later release may read more.
 */
export const cronText: z.ZodType<string, string> = z
  .string()
  .max(CRON_CHARS_MAX)
  .superRefine((text, context) => {
    const read = readCron(text)
    if (read.kind !== 'refused') return
    context.addIssue({ code: 'custom', message: `at character ${read.column}: ${read.message}` })
  })

/**
 * The name of a zone in an input, as the IANA database spells them, or an offset. Whether there is such a zone is known to the
 * node alone that computes occurrences: a schedule of one that it lacks stops with `unknownZone`.
 */
export const zoneText: z.ZodType<string, string> = z
  .string()
  .max(ZONE_CHARS_MAX)
  .regex(/^(?:[+-]\d{2}:\d{2}|[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+)*)$/)
