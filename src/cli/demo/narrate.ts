import { unreachable } from '../../base/assert.ts'
import type { Value } from '../../client/index.ts'
import { paint } from '../terminal/output.ts'
import type { Answer, Flow, Seen } from './flow.ts'
import { isObject } from './promise.ts'

/** Longest name of a member of a cast, and of what it does: columns of the narration. */
const MEMBER_CHARS = 8
const DOES_CHARS = 31

/** Who takes part, before the first step. */
export function introduce({ title, cast }: Flow): string[] {
  const members = Object.entries(cast).map(
    ([member, { is }]) => `  ${paint('cyan', member.padEnd(MEMBER_CHARS))} ${is}`,
  )
  return [paint('bold', title), ...members]
}

/** One thing that was seen, as a line for a person; `shown` is the part of it that was promised. */
export function narrate(seen: Seen, shown: Value): string {
  switch (seen.kind) {
    case 'scene':
      return `\n${paint('bold', `${seen.step}.`)} ${seen.says}`
    case 'command':
    case 'query':
      return line(seen.member, seen.name, `${outcome(seen.answer)}  ${facts(shown)}`)
    case 'task':
      return line(seen.member, `gets the task ${seen.task}`, '')
    case 'told':
      return line(seen.member, `hears ${seen.topic}`, facts(shown))
    default:
      return unreachable(seen)
  }
}

function line(member: string, does: string, then: string): string {
  return `   ${paint('cyan', member.padEnd(MEMBER_CHARS))} ${does.padEnd(DOES_CHARS)} ${then}`.trimEnd()
}

function outcome(answer: Answer): string {
  if (answer.kind === 'ok') return paint('green', 'ok')
  return paint(answer.kind === 'refused' ? 'yellow' : 'red', `${answer.kind} ${answer.code}`)
}

/** `{ session: { status: 'ACTIVE' }, seq: 1 }` → `status ACTIVE, seq 1`. */
function facts(value: Value): string {
  if (Array.isArray(value)) return value.length === 0 ? 'nothing' : value.map((item: Value) => facts(item)).join('; ')
  if (!isObject(value)) return String(value)
  return Object.entries(value)
    .map(([name, fact]) => (isObject(fact) ? facts(fact) : `${name} ${word(fact)}`))
    .filter((text) => text !== '')
    .join(', ')
}

function word(fact: Value): string {
  if (Array.isArray(fact)) return fact.length === 0 ? 'none' : `[${fact.map((item: Value) => facts(item)).join('; ')}]`
  return String(fact)
}
