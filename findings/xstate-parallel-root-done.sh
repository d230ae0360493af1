#!/usr/bin/env bash
# A parallel machine whose last region ends runs that region's `onDone` nowhere.
#
# Expected:  each region that reaches its final state takes its `onDone`, and when all have, the machine is done: actions of
#            every `onDone` have run by then, and the output of the machine can be made of what they assigned.
# Instead:   where the parallel state is the root, the machine is done in the same step in which its last region ends, and
#            the event that would have run that region's `onDone` is never taken. Two regions that end at one event run
#            neither. One state further down, in a parallel state that is not the root, both run.
# Versions:  xstate 5.33.3, Node 20.20; createActor, no options.
# Matters:   a result that is gathered in `onDone` lacks its last part, without any error, and only when the parallel state is
#            the outermost one. Take the results from the context of the regions' own transitions, or wrap the root.
# Source:    the loop over the steps of one event in the package's dist runs while the status is `active`; the step that ends
#            the root sets `done`, so what it has raised stays in the queue.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' > package.json
npm install --no-audit --no-fund --loglevel=error xstate@5.33.3 > npm.log 2>&1 ||
  { cat npm.log; echo 'skipped: npm cannot install the packages'; exit 77; }

cat > observe.js <<'END'
import { readFileSync } from 'node:fs'
import { assign, createActor, createMachine } from 'xstate'
const { version } = JSON.parse(readFileSync('node_modules/xstate/package.json', 'utf8'))
console.log(`xstate ${version}, Node ${process.versions.node}`)

const note = (name) => assign({ ended: ({ context }) => [...context.ended, name] })
const region = (name, event) => ({
  initial: 'runs',
  states: { runs: { on: { [event]: 'over' } }, over: { type: 'final' } },
  onDone: { actions: note(name) },
})
const context = { ended: [] }
/** Both regions end, at one event or at two; the names whose `onDone` ran. */
function endedOf(depth, events) {
  const [first, second] = [events[0], events.at(-1)]
  const parallel = { type: 'parallel', states: { one: region('one', first), two: region('two', second) } }
  const machine =
    depth === 'root'
      ? createMachine({ id: 'm', context, ...parallel })
      : createMachine({ id: 'm', context, initial: 'both', states: { both: { ...parallel, onDone: 'end' }, end: { type: 'final' } } })
  const actor = createActor(machine).start()
  for (const type of events) actor.send({ type })
  const { status, context: { ended } } = actor.getSnapshot()
  return `${status}: ${ended.join(', ') || 'none'}`
}
const seen = {
  'root, one by one': endedOf('root', ['A', 'B']),
  'root, at once': endedOf('root', ['A']),
  'inner, one by one': endedOf('inner', ['A', 'B']),
  'inner, at once': endedOf('inner', ['A']),
}
for (const [where, what] of Object.entries(seen)) console.log(`${where}: ${what}`)
const holds = JSON.stringify(Object.values(seen)) === JSON.stringify(['done: one', 'done: none', 'done: one, two', 'done: one, two'])
if (holds) console.log('as described: the root of a parallel machine swallows the last onDone.')
else console.log('NO LONGER AS DESCRIBED.')
process.exit(holds ? 0 : 1)
END
node observe.js
