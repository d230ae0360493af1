import type { Catcher, Mutant } from './mutant.ts'
import type { Numbered } from './thirty.ts'
import type { Trial, Verdict } from './trial.ts'

/** Fewer of the thirty than that found by random seeds alone: the simulator does not draw what it should. */
const BY_SWARM_LEAST = 20

/** One trial for a person. */
export function lineOf({ verdict, seconds, id, layer, by }: Trial): string {
  const way = layer === 'swarm' ? ' (random seeds)' : ''
  return `${verdict.padEnd(8)} ${seconds.toFixed(1).padStart(5)} s  ${id}${way}  ${by}`
}

/** What the whole run came to, as a sentence and as JSON. */
export function summaryOf(
  trials: readonly Trial[],
  facts: { readonly canary: string; readonly thirty: readonly Numbered[]; readonly seconds: number },
): { readonly says: string; readonly json: object } {
  const named = trials.filter(({ layer }) => layer !== 'swarm')
  const random = trials.filter(({ layer }) => layer === 'swarm')
  const { canary, thirty, seconds } = facts
  const among = named.filter(({ id }) => thirty.some((each) => each.id === id))
  const swarm = { of: random.length, killed: having(random, 'killed').length, survived: having(random, 'survived') }
  const json = {
    total: named.length,
    killed: having(named, 'killed').length,
    survived: having(named, 'survived'),
    untried: having(named, 'untried'),
    broken: having(trials, 'broken'),
    canary: [...named, ...random].find(({ id }) => id === canary)?.verdict ?? null,
    thirty: { of: among.length, killed: having(among, 'killed').length },
    swarm,
    seconds,
    bugs: trials,
  }
  const says = [
    ...(named.length === 0 ? [] : [`${json.killed} of ${named.length} planted bugs were noticed`]),
    ...(random.length === 0 ? [] : [`${swarm.killed} of ${swarm.of} by random seeds alone`]),
  ]
  return { says: `${says.join(', ')}, in ${seconds} s`, json }
}

function having(trials: readonly Trial[], verdict: Verdict): readonly string[] {
  return trials.filter((trial) => trial.verdict === verdict).map(({ id }) => id)
}

/** 1 where a bug was not noticed by what its row names, nothing could be told, or random seeds find too few. */
export function exitCodeOf(trials: readonly Trial[]): 0 | 1 {
  const random = trials.filter(({ layer }) => layer === 'swarm')
  const missed = trials.some(
    ({ verdict, layer }) => verdict === 'broken' || (verdict === 'survived' && layer !== 'swarm'),
  )
  const few = random.length > BY_SWARM_LEAST && having(random, 'killed').length < BY_SWARM_LEAST
  return missed || few ? 1 : 0
}

const LAYERS: { readonly [layer in Catcher['kind']]: string } = {
  tests: 'tests',
  simulator: 'seeds of the simulator',
  benchmark: 'benchmark of faults',
}

/** The thirty as Markdown: what they are here, and who found them. */
export function tableOf(
  trials: readonly Trial[],
  { thirty, mutants }: { readonly thirty: readonly Numbered[]; readonly mutants: readonly Mutant[] },
): string {
  const rows = thirty.map(({ number, bug, id }) => {
    const random = trials.find((trial) => trial.id === id && trial.layer === 'swarm')
    const caughtBy = mutants.find((mutant) => mutant.id === id)?.caughtBy
    const named = caughtBy === undefined ? '' : LAYERS[caughtBy.kind]
    const found = random?.verdict === 'killed'
    const cells = [number, bug, `\`${id}\``, named, found ? random.seeds : '–', found ? noticedBy(random) : '–']
    return `| ${cells.join(' | ')} |`
  })
  return [
    '| | bug | planted here as | noticed by | seed | what the seed says |',
    '|---|---|---|---|---|---|',
    ...rows,
  ].join('\n')
}

/** The invariant without the facts that broke it. */
function noticedBy({ by }: Trial): string {
  const sentence = by.replace(/^.*?seed \d+: /, '').replace(/^(Violation|AssertionError): /, '')
  return (sentence.split(/:? \{/)[0] ?? '').slice(0, 80)
}
