import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Command, InvalidArgumentError } from 'commander'
import { checkMachine } from '../../../src/testing/index.ts'
import { composedLists } from '../composed/composed-lists.ts'
import { conciergeLists } from './concierge-lists.ts'
import { gatesLists } from './gates-lists.ts'
import { type MachineLists, missing, reachedBy } from './machine-lists.ts'
import { paymentsLists } from './payments-lists.ts'
import { reconcilerLists } from './reconciler-lists.ts'
import { sessionLists } from './session-lists.ts'

const LISTS: { readonly [machine: string]: () => MachineLists } = {
  session: sessionLists,
  gates: gatesLists,
  payments: paymentsLists,
  concierge: conciergeLists,
  reconciler: reconcilerLists,
  all: composedLists,
}

/** Lists in a piece: each piece has a seed of its own, so that pieces can be run in any order, by any process. */
const PIECE = 250
/** From so many lists on, something that none of them reached fails the check. */
const ENOUGH = 1_000

/** What the lists of one seed came to. */
interface Piece {
  readonly seed: number
  readonly lists: number
  readonly entries: number
  readonly commands: number
  readonly reached: readonly string[]
  /** The shortest list that fails, as a test; null when all hold. */
  readonly failure: string | null
}

/** One seed and the number of its lists. */
interface Order {
  readonly machine: string
  readonly seed: number
  readonly lists: number
}

if (process.send === undefined) await main()
else process.on('message', async (order: Order) => process.send?.(await runPiece(order)))

async function runPiece({ machine, seed, lists: runs }: Order): Promise<Piece> {
  const lists = listsOf(machine)
  const options = { ...lists.options, seed, runs }
  try {
    const report = await checkMachine(lists.machine, options)
    const commands = Object.values(report.commands).reduce((sum, count) => sum + count, 0)
    const reached = [...reachedBy(lists, report)]
    return { seed, lists: runs, entries: report.entries, commands, reached, failure: null }
  } catch (error) {
    const failure = error instanceof Error ? error.message : String(error)
    return { seed, lists: runs, entries: 0, commands: 0, reached: [...lists.reached], failure }
  }
}

async function main(): Promise<void> {
  const program = new Command('machines:check')
    .description('checks a machine with lists of commands, in pieces of 250 lists, each with the next seed')
    .requiredOption('--machine <name>', Object.keys(LISTS).join(', '))
    .option('--seed <number>', 'seed of the first piece', wholeNumber, 1)
    .option('--lists <number>', 'how many lists', wholeNumber, 1_000)
    .option('--jobs <number>', 'processes at a time', wholeNumber, 1)
    .option('--json', 'one JSON object as the last line of stdout')
    .parse()
  const flags = program.opts<{ machine: string; seed: number; lists: number; jobs: number; json?: true }>()
  if (LISTS[flags.machine] === undefined) program.error(`the machines are ${Object.keys(LISTS).join(', ')}`)
  const started = Date.now()
  const pieces = await runPieces(flags)
  const seconds = Math.round((Date.now() - started) / 100) / 10
  process.exitCode = tell(flags, pieces, seconds)
}

/** All pieces, by as many processes as asked for: a check changes the time zone of its process. */
function runPieces(flags: Order & { readonly jobs: number }): Promise<Piece[]> {
  const { machine, seed, lists, jobs } = flags
  const orders: Order[] = []
  for (let left = lists; left > 0; left -= PIECE) {
    orders.push({ machine, seed: seed + orders.length, lists: Math.min(left, PIECE) })
  }
  const total = orders.length
  const pieces: Piece[] = []
  return new Promise((resolve, reject) => {
    const workers = Array.from({ length: Math.min(jobs, total) }, () => fork(fileURLToPath(import.meta.url)))
    const give = (worker: (typeof workers)[number]): void => {
      const order = orders.shift()
      if (order === undefined) worker.disconnect()
      else worker.send(order)
    }
    for (const worker of workers) {
      worker.on('error', reject)
      worker.on('exit', (code) => {
        if (code !== 0) reject(new Error(`a process of the check ended with ${code}`))
      })
      worker.on('message', (piece: Piece) => {
        pieces.push(piece)
        console.error(`seed ${piece.seed}: ${piece.failure ?? `${piece.lists} lists, ${piece.entries} entries`}`)
        give(worker)
        if (pieces.length === total) resolve(pieces.sort((left, right) => left.seed - right.seed))
      })
      give(worker)
    }
  })
}

/** Prints what came of it; the exit code says whether all lists held and enough of them came everywhere. */
function tell(
  flags: { machine: string; seed: number; json?: true },
  pieces: readonly Piece[],
  seconds: number,
): number {
  const lists = listsOf(flags.machine)
  const sum = (field: 'lists' | 'entries' | 'commands'): number => pieces.reduce((all, piece) => all + piece[field], 0)
  const reached = new Set(pieces.flatMap((piece) => piece.reached))
  const unreached = missing(lists, reached)
  const failures = pieces.flatMap(({ seed, failure }) => (failure === null ? [] : [{ seed, failure }]))
  const short = failures.length === 0 && sum('lists') >= ENOUGH && unreached.length > 0
  console.error(
    `${flags.machine}: ${sum('lists')} lists from seed ${flags.seed} on, ${sum('entries')} entries, ` +
      `${failures.length} failures, ${seconds} s; never reached: ${unreached.join(', ') || 'nothing'}`,
  )
  if (flags.json === true) {
    const counts = { lists: sum('lists'), entries: sum('entries'), commands: sum('commands') }
    const seeds = [flags.seed, flags.seed + pieces.length - 1]
    const { machine } = flags
    console.log(
      JSON.stringify({ machine, seeds, ...counts, seconds, failures, reached: [...reached].sort(), unreached }),
    )
  }
  return failures.length > 0 || short ? 1 : 0
}

function listsOf(machine: string): MachineLists {
  const make = LISTS[machine]
  if (make === undefined) throw new Error(`there are no lists for a machine ${machine}`)
  return make()
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('a whole number from 1 on')
  return Number(text)
}
