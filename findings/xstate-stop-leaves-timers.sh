#!/usr/bin/env bash
# An actor that has stopped or ended leaves delayed events of its own in the clock, when several had one id.
#
# Expected:  a stopped actor has no timers: whatever it had scheduled is cancelled with it.
# Instead:   of several delayed events that were raised under one id only the last is known to the actor. `cancel`, stop and
#            the end of the machine take that one out of the clock; the earlier ones stay until their time has come, keep the
#            process alive until then, and hold the actor in memory. While it lives all of them are delivered.
# Versions:  xstate 5.33.3, Node 20.20; `raise` with `id` and `delay`, the default clock and one given as an option.
# Matters:   a debounce by id does not debounce without a `cancel` before each `raise`, and a server that ends many actors
#            keeps each of them as long as its longest forgotten delay. Who stores timers by id loses the earlier ones instead.
# Source:    the scheduler in the package's dist: timers are kept in an object by session and id, which a second one of the
#            same id overwrites; cancelling all goes over that object.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' > package.json
npm install --no-audit --no-fund --loglevel=error xstate@5.33.3 > npm.log 2>&1 ||
  { cat npm.log; echo 'skipped: npm cannot install the packages'; exit 77; }

cat > observe.js <<'END'
import { readFileSync } from 'node:fs'
import { createActor, createMachine, raise } from 'xstate'
const { version } = JSON.parse(readFileSync('node_modules/xstate/package.json', 'utf8'))
console.log(`xstate ${version}, Node ${process.versions.node}`)

const machine = createMachine({
  id: 'm',
  initial: 'on',
  states: {
    on: {
      after: { 2000: 'off' },
      on: { ARM: { actions: raise({ type: 'PING' }, { id: 'ping', delay: 1500 }) }, END: 'off' },
    },
    off: { type: 'final' },
  },
})

/** A clock that only counts. */
class CountingClock {
  waiting = new Set()
  #last = 0
  setTimeout() {
    this.#last += 1
    this.waiting.add(this.#last)
    return this.#last
  }
  clearTimeout(id) {
    this.waiting.delete(id)
  }
}

/** Timers in the clock before and after the actor's end. */
function leftBy(times, end) {
  const clock = new CountingClock()
  const actor = createActor(machine, { clock }).start()
  for (let time = 0; time < times; time += 1) actor.send({ type: 'ARM' })
  const before = clock.waiting.size
  if (end === 'stop') actor.stop()
  else actor.send({ type: 'END' })
  return `${before} -> ${clock.waiting.size}`
}
const seen = ['stop', 'final state'].flatMap((end) => [1, 3].map((times) => [`${end}, raised ${times} times`, leftBy(times, end)]))
for (const [what, counts] of seen) console.log(`timers at ${what}: ${counts}`)

const timeouts = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
const none = timeouts()
const actor = createActor(machine).start()
for (let time = 0; time < 3; time += 1) actor.send({ type: 'ARM' })
actor.stop()
const kept = timeouts() - none
console.log(`timers that keep the process alive after the stop of an actor with the default clock: ${kept}`)
const holds = seen.map(([, counts]) => counts).join() === '2 -> 0,4 -> 2,2 -> 0,4 -> 2' && kept === 2
if (holds) console.log('as described: a stopped actor leaves timers behind.')
else console.log('NO LONGER AS DESCRIBED.')
process.exit(holds ? 0 : 1)
END
node observe.js
