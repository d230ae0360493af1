import { z } from 'zod'
import { type Spread, spread } from '../peers/spread.ts'
import type { Target } from './targets.ts'

const SPREAD = z.object({ median: z.number(), min: z.number(), max: z.number() })
const SKIPPED = z.object({ skipped: z.string() })

/** What a result says of one target. */
export type Figure =
  | { readonly kind: 'measured'; readonly value: Spread }
  /** A peer is not installed. */
  | { readonly kind: 'skipped'; readonly reason: string }
  | { readonly kind: 'absent' }

/** `met`: the goal is reached; `wanted`: what is wanted now is. */
export type Verdict = 'met' | 'wanted' | 'missed' | 'reported'

/** Reads the figure of a target out of its bench's result. */
export function figureOf(target: Pick<Target, 'at' | 'over' | 'peer'>, result: unknown): Figure {
  const above = readAt(result, target.at)
  if (above.kind === 'absent' && target.peer !== undefined) return skippedOr(readAt(result, target.peer))
  if (above.kind !== 'measured' || target.over === undefined) return above
  const below = readAt(result, target.over)
  if (below.kind !== 'measured') return below
  const by = below.value.median
  const { median, min, max } = above.value
  return { kind: 'measured', value: { median: rounded(median / by), min: rounded(min / by), max: rounded(max / by) } }
}

const skippedOr = (figure: Figure): Figure => (figure.kind === 'skipped' ? figure : { kind: 'absent' })

/** What the median comes to; only what has a goal can be met. */
export function verdictOf({ goal, wanted }: Pick<Target, 'goal' | 'wanted'>, { median }: Spread): Verdict {
  if (goal === undefined) return 'reported'
  const reaches = (bound: number): boolean => ('least' in goal ? median >= bound : median <= bound)
  if (reaches('least' in goal ? goal.least : goal.most)) return 'met'
  return wanted !== undefined && reaches(wanted) ? 'wanted' : 'missed'
}

/** A number, a spread or a list of numbers; what is skipped on the way there says why. */
function readAt(result: unknown, path: string): Figure {
  let value = result
  for (const name of path.split('.')) {
    const skipped = SKIPPED.safeParse(value)
    if (skipped.success) return { kind: 'skipped', reason: skipped.data.skipped }
    value = step(value, name)
  }
  return asFigure(value)
}

function asFigure(value: unknown): Figure {
  if (typeof value === 'number') return { kind: 'measured', value: spread([value]) }
  const several = SPREAD.safeParse(value)
  if (several.success) return { kind: 'measured', value: several.data }
  const list = z.array(z.number()).min(1).safeParse(value)
  if (list.success) return { kind: 'measured', value: spread(list.data) }
  const skipped = SKIPPED.safeParse(value)
  return skipped.success ? { kind: 'skipped', reason: skipped.data.skipped } : { kind: 'absent' }
}

function step(value: unknown, name: string): unknown {
  const [field = '', wanted] = name.split('=')
  if (wanted === undefined) return property(value, field)
  return Array.isArray(value) ? value.find((each: unknown) => String(property(each, field)) === wanted) : undefined
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

const rounded = (value: number): number => Math.round(value * 100) / 100
