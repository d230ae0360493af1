import { type Drawable, firstIn, isComposite, kindText, liesIn, nestedState, statesIn } from './drawable.ts'
import type { Edge } from './transitions.ts'

/**
 * The mermaid text (`stateDiagram-v2`) of a table, in the table's own order, so that a committed diagram changes only when the
 * table does (machines.md §5). Ends with a line break.
 */
export function mermaid(table: Drawable): string {
  return `${new MermaidText(table).lines().join('\n')}\n`
}

class MermaidText {
  private readonly table: Drawable
  private readonly edges: readonly Edge[]
  private readonly ids: ReadonlyMap<string, string>

  constructor(table: Drawable) {
    this.table = table
    this.edges = table.edges()
    this.ids = identifiers(table)
  }

  lines(): readonly string[] {
    const { table, edges } = this
    if (table.nested !== undefined) {
      const across = edges.filter((edge) => !this.besideEachOther(edge))
      return [
        'stateDiagram-v2',
        ...this.composite(table.initial, '  '),
        `  [*] --> ${this.id(table.initial)}`,
        ...across.map((edge) => `  ${this.step(edge)}`),
      ]
    }
    return [
      'stateDiagram-v2',
      ...table.states.filter((state) => this.id(state) !== state).map((state) => `  ${this.alias(state)}`),
      `  [*] --> ${this.id(table.initial)}`,
      ...edges.map((edge) => `  ${this.step(edge)}`),
      ...table.terminal.map((state) => `  ${this.id(state)} --> [*]`),
    ]
  }

  private id(state: string): string {
    return this.ids.get(state) ?? state
  }

  private title(state: string): string {
    const node = nestedState(this.table, state)
    const work = isComposite(node) ? node.work.map((name) => `, invoke ${name}`).join('') : ''
    return `${node.name}${kindText(node)}${work}`
  }

  private alias(state: string): string {
    return `state "${quotable(this.title(state))}" as ${this.id(state)}`
  }

  /**
   * A state with all that lies in it. Only steps between neighbours stand within: mermaid moves a state into the box where it
   * first reads a step of it.
   */
  private composite(state: string, indent: string): readonly string[] {
    const node = nestedState(this.table, state)
    const inner = `${indent}  `
    const below = statesIn(this.table, state)
    const own = this.edges.filter((edge) => edge.from === state && liesIn(this.table, edge.to, state))
    const steps = this.edges.filter((edge) => {
      return this.besideEachOther(edge) && nestedState(this.table, edge.from).parent === state
    })
    const first = firstIn(this.table, state)
    const states = below.flatMap((child) => [
      ...(node.kind === 'parallel' && first.indexOf(child) > 0 ? [`${inner}--`] : []),
      ...(first.includes(child) ? [`${inner}[*] --> ${this.id(child)}`] : []),
      ...this.state(child, inner),
    ])
    return [
      `${indent}${this.title(state) === this.id(state) ? `state ${this.id(state)}` : this.alias(state)} {`,
      ...(own.length === 0 ? [] : [`${inner}state "in any state" as ${this.anyOf(state)}`]),
      ...states,
      ...steps.map((edge) => `${inner}${this.step(edge)}`),
      ...below
        .filter((child) => this.table.terminal.includes(child))
        .map((child) => `${inner}${this.id(child)} --> [*]`),
      `${indent}}`,
    ]
  }

  private state(state: string, indent: string): readonly string[] {
    const node = nestedState(this.table, state)
    if (isComposite(node)) return this.composite(state, indent)
    // Its description would stand in place of a name that it has not been given.
    const plain = this.title(state) === this.id(state) && node.work.length === 0
    const named = plain ? this.id(state) : this.alias(state)
    return [named, ...node.work.map((work) => `${this.id(state)} : invoke ${text(work)}`)].map((line) => indent + line)
  }

  private step({ from, to, label }: Edge): string {
    const { table } = this
    // Mermaid has no place for a line from a box to what lies in it, or to itself.
    const within = isComposite(nestedState(table, from)) && liesIn(table, to, from)
    const [start, end] = [
      within ? this.anyOf(from) : this.id(from),
      within && from === to ? this.anyOf(to) : this.id(to),
    ]
    return `${start} --> ${end}${label === null ? '' : ` : ${text(label)}`}`
  }

  private besideEachOther({ from, to }: Edge): boolean {
    const [start, end] = [nestedState(this.table, from), nestedState(this.table, to)]
    const within = from === to && isComposite(start)
    const region = start.parent !== null && nestedState(this.table, start.parent).kind === 'parallel'
    return start.parent !== null && start.parent === end.parent && !within && !region
  }

  private anyOf(state: string): string {
    return `${this.id(state)}_any`
  }
}

/** Mermaid's own words, and the name that it gives to the whole. */
const WORDS: ReadonlySet<string> = new Set(
  'end state note direction class classdef style default click href scale hide root acctitle accdescr statediagram'.split(
    ' ',
  ),
)

/** Mermaid reads letters, digits and underscores as an identifier; two states of a chart may have one name. */
function identifiers(table: Drawable): ReadonlyMap<string, string> {
  const names = table.states.map((state) => nestedState(table, state).name)
  const taken = new Set<string>()
  return new Map(
    table.states.map((state, position) => {
      const { name } = nestedState(table, state)
      const alone = names.filter((other) => other === name).length === 1
      const path = state.replaceAll(/\W/g, '_')
      const wanted = alone ? name : table.nested === undefined ? state : path
      const free = /^[A-Za-z_]\w*$/.test(wanted) && !WORDS.has(wanted.toLowerCase()) && !taken.has(wanted)
      const id = free ? wanted : `state_${position}`
      taken.add(id)
      return [state, id]
    }),
  )
}

const quotable = (title: string): string => title.replaceAll('"', "'").replaceAll(/\s/g, ' ')

/** A text ends at a colon or a semicolon; mermaid takes their numbers for them. */
const text = (label: string): string =>
  label.replaceAll(/[#:;]/g, (sign) => `#${sign.charCodeAt(0)};`).replaceAll(/\s/g, ' ')
