/** Pages of docs/ by their file name, e.g. `raft.md`, with their text. */
export type Pages = ReadonlyMap<string, string>

/** One place where a text refers to a page: `raft.md §2.4`, `sessions.md §3, step 7`, `raft.md §1, §4` (two of them). */
export interface Citation {
  readonly page: string
  /** `2.4`; null for the page as a whole. */
  readonly section: string | null
  readonly line: number
}

const NUMBER = String.raw`§\s?\d+(?:\.\d+)*`
const STEPS = String.raw`(?:,? steps? \d+(?:(?:–|, | and )\d+(?!\.))*)?`
/** `, §4`, `–§4`, ` and §4`, ` or §4`, `; §4`, or `§4` at once. */
const MORE = String.raw`\s*(?:,|;|–|and|or|to|&|/)?\s*`
/** `raft.md`, the same with a path before it or in backquotes, or the target of a link. */
const PAGE = String.raw`(?<![\w/.-])((?:[\w.-]*/)*)([\w-]+\.md)(?:#[\w-]+)?[)\x60]?`
const CITATION = new RegExp(`${PAGE}((?:${MORE}${NUMBER}${STEPS})*)`, 'g')
const SECTION = /§\s?(\d+(?:\.\d+)*)(?:,? steps? ((?:\d+(?:–|, | and )?)+))?/g

/** Every citation in a text. Line breaks inside one, with the comment marks that follow them, count as spaces. */
export function citationsIn(text: string): Citation[] {
  const found: Citation[] = []
  for (const { 1: path = '', 2: page = '', 3: sections = '', index } of joined(text).matchAll(CITATION)) {
    // A path without a section is a link or names the file itself: other rules look after those.
    if (path !== '' && sections === '') continue
    const named = namedIn(sections)
    for (const section of named.length === 0 ? [null] : named) found.push({ page, section, line: lineAt(text, index) })
  }
  return found
}

function joined(text: string): string {
  return text.replace(/\n[ \t]*(?:\*(?!\/)|\/\/|#)?[ \t]*/g, (gap) => ' '.repeat(gap.length))
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length
}

/** The sections of `§2.4, §3, step 7`: `2.4` and `3.7`. */
function namedIn(sections: string): string[] {
  return [...sections.matchAll(SECTION)].flatMap((part) => numbersOf(part[1] ?? '', part[2]))
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
  for (const form of OTHER_FORMS) {
    for (const { 0: words, index } of joined(text).matchAll(form)) {
      found.push(`${path}:${lineAt(text, index)} says "${words}" instead of citing a page as page.md §1`)
    }
  }
  return found
}

/** What means a section of a page and cannot be followed. */
const OTHER_FORMS = [
  /\b(?:domain|sessions|raft|storage|machines|faults|wire|architecture) (?:(?:chapter|section) )?\d+\.\d+/g,
  /[\w-]+\.md[)`]?,? +(?:in +)?(?:section|chapter|sect\.|sec\.)s? *\d+/gi,
  /\b(?:sections?|chapters?) +\d+(?:\.\d+)* +(?:of|in) +[\w./-]+\.md/gi,
  /§ *\d+(?:\.\d+)* +(?:of|in) +[\w./-]+\.md/g,
]

/** A section without its page, and with what is said before it in the same paragraph. */
interface BareSection {
  readonly section: string
  /** The nearest source named before it, e.g. `thesis` or `raft.md`; null when there is none. */
  readonly source: string | null
  readonly line: number
}

const SOURCE = /\b(?:paper|thesis|dissertation|chapter|figure)\b|[\w-]+\.md\b/gi

/** Sections that no citation of a page covers. A source reaches to the end of its sentence or of its parentheses. */
function bareSections(text: string): BareSection[] {
  const flat = joined(text)
  const rest = flat.replace(CITATION, (citation) => citation.replaceAll('§', ' '))
  return [...rest.matchAll(SECTION)].flatMap(({ 0: words, index }) => {
    const before = flat.slice(Math.max(0, index - 300), index)
    const clause = openPart(before.slice(sentenceStart(before)))
    const source = clause.match(SOURCE)?.at(-1) ?? null
    return namedIn(words).map((section) => ({ section, source, line: lineAt(text, index) }))
  })
}

function sentenceStart(before: string): number {
  return Math.max(0, ...['. ', ' - ', ' | ', ': '].map((end) => before.lastIndexOf(end)))
}

/** What of a sentence still holds at its end: parentheses that were closed do not. */
function openPart(sentence: string): string {
  let part = sentence
  for (let shorter = ''; shorter !== part; part = part.replace(/\([^()]*\)/g, ' ')) shorter = part
  return part
}

/** Sections that a page of the design names without a page, which are its own, and that it does not have. */
export function deadOwnSections(path: string, text: string): string[] {
  const own = new Set(sectionsOf(text).map(({ id }) => id))
  return bareSections(text)
    .filter(({ section, source }) => source === null && !own.has(section))
    .map(({ section, line }) => `${path}:${line} names its own §${section}, which it does not have`)
}

/** Outside the design, sections that belong neither to a page nor to the paper or the thesis. */
export function ownerlessSections(path: string, text: string): string[] {
  return bareSections(text)
    .filter(({ source }) => source === null || source.endsWith('.md'))
    .map(({ section, line }) => `${path}:${line} names §${section} of no page: cite it as page.md §${section}`)
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
