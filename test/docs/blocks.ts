/** A fenced block of a page: what stands behind the fence, and its text. */
export interface Block {
  readonly language: string
  readonly text: string
}

/** The fenced blocks of a page in order. */
export function blocksOf(page: string): Block[] {
  return [...page.matchAll(/^```([^\n]*)\n([\s\S]*?)^```$/gm)].map(([, language = '', text = '']) => ({
    language,
    text,
  }))
}

/** The same lines without what indents all of them, so that a part of a file can be quoted. */
export function withoutIndent(text: string): string {
  const lines = text.split('\n').map((line) => line.trimEnd())
  const indents = lines.filter((line) => line !== '').map((line) => /^ */.exec(line)?.[0].length ?? 0)
  const indent = Math.min(...indents)
  return lines.map((line) => line.slice(indent)).join('\n')
}

/** Whether the lines of a quotation stand in a source, one after the other, indented by whatever. */
export function quotes(source: string, quotation: string): boolean {
  const wanted = withoutIndent(quotation.trimEnd()).split('\n')
  const lines = source.split('\n')
  return lines.some((line, at) => {
    if (line.trim() !== wanted[0]?.trim()) return false
    return withoutIndent(lines.slice(at, at + wanted.length).join('\n')) === wanted.join('\n')
  })
}
