#!/usr/bin/env bash
# Of two actors of one machine that took the same events, the one that was saved and restored between them ends elsewhere.
#
# Expected:  which of two parallel regions is asked first for its eventless transitions follows from the machine (the
#            specification of state charts says document order), so a saved and restored actor goes on as the other does.
# Instead:   a live actor asks its regions in the order in which their present states were entered, a restored one in the
#            order of the keys of the saved value. Where the transitions exclude each other, another one wins: here the
#            live order ends `expired`, the restored one `paid`. An object store that sorts keys gives yet another order.
# Versions:  xstate 5.33.3, Node 20.20; createActor, getPersistedSnapshot and the option `snapshot`, no options else.
# Matters:   replicas, or a process and the one that takes over, disagree without any error. Who steps snapshots has to
#            rebuild the value in document order and restore before every event, or to let no two regions compete.
# Source:    the functions of a step in the package's dist: the active nodes of a snapshot are a set to which what is entered is
#            added behind, and a restored snapshot has that set made anew from its value.
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

const closing = ({ context }) => context.closing
const regions = {
  pay: { initial: 'waiting', states: { waiting: { on: { PAY: 'ready' } }, ready: { always: { guard: closing, target: '#order.paid' } } } },
  watch: { initial: 'running', states: { running: { on: { TICK: 'over' } }, over: { always: { guard: closing, target: '#order.expired' } } } },
}
const order = createMachine({
  id: 'order',
  initial: 'open',
  context: { closing: false },
  states: {
    open: { type: 'parallel', states: regions, on: { CLOSE: { actions: assign({ closing: true }) } } },
    paid: {},
    expired: {},
  },
})

const sorted = (value) =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.keys(value).sort((one, two) => (one > two ? -1 : 1)).map((key) => [key, sorted(value[key])]))
    : value

/** The last state, when `between` is done with the saved snapshot before each event; null leaves the actor alone. */
function endOf(types, between) {
  let actor = createActor(order).start()
  for (const type of types) {
    if (between !== null) {
      const snapshot = between(JSON.parse(JSON.stringify(actor.getPersistedSnapshot())))
      actor = createActor(order, { snapshot }).start()
    }
    actor.send({ type })
  }
  return actor.getSnapshot().value
}

const events = ['TICK', 'PAY', 'CLOSE']
const live = endOf(events, null)
const restored = endOf(events, (saved) => saved)
const reversed = endOf(events, sorted)
console.log(`events ${events.join(', ')}: live ${live}, restored before each ${restored}, with keys in another order ${reversed}`)
const swapped = ['PAY', 'TICK', 'CLOSE']
console.log(`events ${swapped.join(', ')}: live ${endOf(swapped, null)}, restored before each ${endOf(swapped, (saved) => saved)}`)
const holds = live === 'expired' && restored === 'paid' && reversed === 'expired' && endOf(swapped, null) === 'paid'
if (holds) console.log('as described: what a machine does depends on whether it was saved in between.')
else console.log('NO LONGER AS DESCRIBED: live and restored actors agree.')
process.exit(holds ? 0 : 1)
END
node observe.js
