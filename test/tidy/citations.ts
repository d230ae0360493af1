/** Pages of docs/ by their file name, e.g. `raft.md`, with their text. */
export type Pages = ReadonlyMap<string, string>

/** One place where a text refers to a page: `raft.md §2.4`, `sessions.md §3, step 7`, `raft.md §1, §4` (two of them). */
export interface Citation {
  readonly page: string
  /** `2.4`; null for the page as a whole. */
  readonly section: string | null
  readonly line: number
}

const CITATION =
  /(?<![\w/-])([\w-]+\.md)((?:\s*(?:,|–|and)?\s*§\d+(?:\.\d+)*(?:,? steps? \d+(?:(?:–|, | and )\d+(?!\.))*)?)*)/g
const SECTION = /§(\d+(?:\.\d+)*)(?:,? steps? ((?:\d+(?:–|, | and )?)+))?/g

/** Every citation in a text. Line breaks inside one, with the comment marks that follow them, count as spaces. */
export function citationsIn(text: string): Citation[] {
  const joined = text.replace(/\n[ \t]*(?:\*(?!\/)|\/\/|#)?[ \t]*/g, (gap) => ' '.repeat(gap.length))
  const found: Citation[] = []
  for (const { 1: page = '', 2: sections = '', index } of joined.matchAll(CITATION)) {
    const line = text.slice(0, index).split('\n').length
    const named = [...sections.matchAll(SECTION)].flatMap((part) => numbersOf(part[1] ?? '', part[2]))
    for (const section of named.length === 0 ? [null] : named) found.push({ page, section, line })
  }
  return found
}

function numbersOf(section: string, steps: string | undefined): string[] {
  const items = steps?.match(/\d+/g) ?? []
  return items.length === 0 ? [section] : items.map((item) => `${section}.${item}`)
}

export interface Section {
  readonly id: string
  readonly heading: boolean
  readonly planned: boolean
}

/** The numbered headings of a page, and the items of the ordered list inside each: section 2, item 4 is `2.4`. */
export function sectionsOf(page: string): Section[] {
  const found: Section[] = []
  let section: string | null = null
  let fenced = false
  for (const line of page.split('\n')) {
    if (line.startsWith('```')) fenced = !fenced
    if (fenced) continue
    const heading = /^#{2,3} (?:(\d+(?:\.\d+)*)\.? )?(.*)$/.exec(line)
    if (heading !== null) {
      section = heading[1] ?? null
      if (section !== null) found.push({ id: section, heading: true, planned: /\(planned\)$/.test(heading[2] ?? '') })
    } else {
      const item = /^(\d+)\. /.exec(line)?.[1]
      if (item !== undefined && section !== null)
        found.push({ id: `${section}.${item}`, heading: false, planned: false })
    }
  }
  return found
}

/** Citations whose page or section does not exist, as `path:line sentence`. */
export function deadCitations(path: string, text: string, pages: Pages): string[] {
  const found: string[] = []
  for (const { page, section, line } of citationsIn(text)) {
    const target = pages.get(page)
    if (target === undefined) found.push(`${path}:${line} cites ${page}, which is no page of docs/`)
    else if (section !== null && !sectionsOf(target).some((known) => known.id === section)) {
      found.push(`${path}:${line} cites ${page} §${section}, which that page does not have`)
    }
  }
  for (const match of text.matchAll(/\b(?:domain|sessions|raft|storage|machines|faults) (?:chapter )?\d+\.\d+/g)) {
    found.push(`${path}:${text.slice(0, match.index).split('\n').length} says "${match[0]}" instead of citing a page`)
  }
  return found
}

/** Headings of a page that no text cites, itself or a part of it, and that are not marked as planned. */
export function uncitedSections(name: string, page: string, citations: readonly Citation[]): string[] {
  const cited = citations.filter((citation) => citation.page === name && citation.section !== null)
  return sectionsOf(page)
    .filter(({ heading, planned }) => heading && !planned)
    .filter(({ id }) => !cited.some(({ section }) => section === id || section?.startsWith(`${id}.`)))
    .map(({ id }) => `${name} §${id} is implemented nowhere and not marked (planned)`)
}

/** Relative links of a Markdown page, e.g. `../format.md#frames`, as written. */
export function linksIn(markdown: string): string[] {
  const prose = markdown.replace(/```[\s\S]*?```/g, '').replace(/`[^`\n]*`/g, '')
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? '').filter((link) => !/^\w+:/.test(link))
}

/** The anchor that a heading gets: lower case, spaces as dashes, other punctuation dropped. */
export function anchorsOf(markdown: string): string[] {
  const headings = markdown.replace(/```[\s\S]*?```/g, '').match(/^#{1,6} .*$/gm) ?? []
  return headings.map((heading) =>
    heading
      .replace(/^#+ /, '')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/\s/g, '-'),
  )
}
