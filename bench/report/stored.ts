import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { ReportedBench } from './targets.ts'

const STORED = z.object({
  bench: z.string(),
  /** As they were given to it, `--json` among them. */
  arguments: z.array(z.string()),
  quick: z.boolean(),
  /** When it ended, as ISO 8601. */
  at: z.string(),
  /** Of the sources; null where they are in no repository, and with a `+` where they were changed since. */
  commit: z.string().nullable(),
  node: z.string(),
  cpus: z.number(),
  model: z.string(),
  /** Load averages of one minute, before it and behind it. */
  load: z.tuple([z.number(), z.number()]),
  seconds: z.number(),
  exitCode: z.number().nullable(),
  /** Its last line; null when it was no JSON. */
  result: z.unknown(),
})

/** A result of a bench in a file of its own, with what it was measured on. */
export type Stored = z.infer<typeof STORED>

export function store(directory: string, stored: Stored): void {
  mkdirSync(directory, { recursive: true })
  writeFileSync(pathOf(directory, stored.bench), `${JSON.stringify(stored, null, 2)}\n`)
}

/** Null: there is none. Throws when the file is not one of these. */
export function stored(directory: string, bench: ReportedBench): Stored | null {
  const path = pathOf(directory, bench)
  return existsSync(path) ? STORED.parse(JSON.parse(readFileSync(path, 'utf8'))) : null
}

const pathOf = (directory: string, bench: string): string => join(directory, `${bench}.json`)
