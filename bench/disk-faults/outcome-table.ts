import { CASES, type Damage, DAMAGES, type FileKind, FILES } from './cases.ts'

/** The outcomes as the table of docs/disk-faults.md: of one node of three, and of a single one where that differs. */
export function outcomeTable(): string {
  const damages = Object.keys(DAMAGES) as Damage[]
  const head = `| file | ${damages.map((damage) => `\`${damage}\``).join(' | ')} |`
  const rule = `|---|${damages.map(() => '---|').join('')}`
  const rows = (Object.keys(FILES) as FileKind[]).map((file) => {
    const cells = damages.map((damage) => cellOf(file, damage))
    return `| \`${file}\`: ${FILES[file]} | ${cells.join(' | ')} |`
  })
  return [head, rule, ...rows].join('\n')
}

function cellOf(file: FileKind, damage: Damage): string {
  const of = (nodes: 1 | 3): string | undefined =>
    CASES.find((one) => one.file === file && one.damage === damage && one.nodes === nodes)?.outcome
  const [ofThree, alone] = [of(3) ?? '', of(1)]
  return alone === undefined || alone === ofThree ? ofThree : `${ofThree}; alone: ${alone}`
}
