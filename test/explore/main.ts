import { parseArgs } from 'node:util'
import { explore } from './explore.ts'
import { type Space, SPACES } from './spaces.ts'

const HELP = `npm run explore [-- OPTIONS]

Looks at every state that three nodes of the Raft core can come to, breadth first, and checks the safety rules at each. Without
bounds it looks at five spaces, which end within twenty minutes on one processor. With any of these it looks at one:

  --logs TERMS    terms of the entries that each node begins with: 1/1/1 (the default) or 1,2/1,3/1
  --terms N       elections, of whatever outcome                     (1)
  --commands N    commands                                           (0)
  --crashes N     crashes, each with a restart at any later moment   (0)
  --heartbeats N  rounds of heartbeats, of whichever leaders         (0)
  --messages N    messages under way from one node to another        (1)
  --prompt-disks  writes are done at once, not each as an action of its own
  --actions N     no state farther away than that

  --minutes N     gives up after that, for each space                (20)
  --json          a line of JSON for each space in place of text
`

const NUMBER = { type: 'string' } as const
const { values } = parseArgs({
  options: {
    ...{ logs: NUMBER, terms: NUMBER, commands: NUMBER, crashes: NUMBER, heartbeats: NUMBER, messages: NUMBER },
    ...{ actions: NUMBER, minutes: { ...NUMBER, default: '20' } },
    'prompt-disks': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

/** What the options ask for: one space, or those there are. */
function asked(): readonly Space[] {
  const { logs, terms, commands, crashes, heartbeats, messages, actions } = values
  const given = [logs, terms, commands, crashes, heartbeats, messages, actions]
  if (given.every((value) => value === undefined) && !values['prompt-disks']) return SPACES
  const bounds = {
    logs: (logs ?? '1/1/1').split('/').map((log) => log.split(',').map(Number)),
    terms: Number(terms ?? 1),
    commands: Number(commands ?? 0),
    crashes: Number(crashes ?? 0),
    heartbeats: Number(heartbeats ?? 0),
    messages: Number(messages ?? 1),
    promptDisks: values['prompt-disks'],
    ...(actions === undefined ? {} : { actions: Number(actions) }),
  }
  return [{ name: 'as asked', bounds }]
}

/** True: the whole space was looked at, and nothing breaks a rule. */
function look({ name, bounds }: Space): boolean {
  const began = performance.now()
  const until = began + Number(values.minutes) * 60_000
  let peak = 0
  const { states, transitions, depth, ended, violation } = explore(
    bounds,
    () => performance.now() > until,
    () => {
      peak = Math.max(peak, process.memoryUsage.rss())
    },
  )
  const seconds = Math.round(performance.now() - began) / 1000
  const peakMiB = Math.round(Math.max(peak, process.memoryUsage.rss()) / 1024 / 1024)
  if (values.json) {
    const result = { name, states, transitions, depth, ended, seconds, peakMiB, bounds, violation }
    process.stdout.write(`${JSON.stringify(result)}\n`)
  } else {
    const end = ended ? 'all there are' : violation === null ? 'not all: time was up' : 'to a broken rule'
    const size = `${states} states (${end}), ${transitions} transitions, ${depth} actions deep`
    process.stdout.write(`${name}: ${size}, ${seconds} s, ${peakMiB} MiB\n  ${JSON.stringify(bounds)}\n`)
    if (violation !== null)
      process.stdout.write(`  ${violation.rule}\n${violation.path.map((line) => `    ${line}\n`).join('')}`)
  }
  return ended && violation === null
}

if (values.help) process.stdout.write(HELP)
else process.exitCode = asked().map(look).every(Boolean) ? 0 : 1
