import { Command } from 'commander'
import { backup } from './backup/backup.ts'
import { callbacks } from './callbacks/callbacks.ts'
import { catchUp } from './catch-up/catch-up.ts'
import { embedded } from './embedded/embedded.ts'
import { endurance } from './endurance/endurance.ts'
import { exactlyOnce } from './exactly-once/exactly-once.ts'
import { expiryStorm } from './expiry-storm/expiry-storm.ts'
import { failover } from './failover/failover.ts'
import { faultCommands } from './faults/commands.ts'
import { listOf, listOrNone, namesOf, positive, wholeNumber } from './flags/flag-values.ts'
import { footprint } from './footprint/footprint.ts'
import { freeze } from './freeze/freeze.ts'
import { growth } from './growth/growth.ts'
import { indexes } from './indexes/indexes.ts'
import { latency } from './latency/latency.ts'
import { migration } from './migration/migration.ts'
import { queries } from './queries/queries.ts'
import { report, REPORTED } from './report/report.ts'
import { restart } from './restart/restart.ts'
import { serverRequests } from './server-requests/server-requests.ts'
import { sessions } from './sessions/sessions.ts'
import { snapshot } from './snapshot/snapshot.ts'
import { subscribe } from './subscribe/subscribe.ts'
import { throughput } from './throughput/throughput.ts'
import { machineUpgrade } from './upgrade/machine-upgrade.ts'
import { waits } from './waits/waits.ts'
import { xstate } from './xstate/xstate.ts'

const DEFAULT_IN_FLIGHT = [1, 16, 64, 256, 1000]

/** `npm run bench -- NAME`: each measurement is a command; exit code 1 when its own assertions did not hold. */
const program = new Command('bench').description('measurements on real processes over real sockets with real fsync')

program
  .command('throughput')
  .description('register writes and payment callbacks per second against three processes, in turn with their peers')
  .option('--json', 'one JSON object as the last line of stdout')
  .option('--runs <count>', 'how often each load is measured', positive, 5)
  .option('--seconds <count>', 'length of each measurement', positive, 5)
  .option('--in-flight <counts>', 'sessions with one write in flight each', listOf, DEFAULT_IN_FLIGHT)
  .option('--callbacks <count>', 'payment callbacks to feed in each run; 0 leaves them out', wholeNumber, 20_000)
  .option('--cpu-prof <directory>', 'one CPU profile per node; slows the nodes down')
  .action(async (flags) => {
    const ok = await throughput({ ...flags, json: flags.json === true, cpuProf: flags.cpuProf ?? null })
    process.exitCode = ok ? 0 : 1
  })

program
  .command('latency')
  .description('one command in flight on three processes, cold and warm, in turn with puts of etcd')
  .option('--json', 'one JSON object as the last line of stdout')
  .option('--pairs <count>', 'how often each of the two is measured', positive, 5)
  .option('--seconds <count>', 'length of each measurement', positive, 5)
  .action(async (flags) => {
    const ok = await latency({ ...flags, json: flags.json === true })
    process.exitCode = ok ? 0 : 1
  })

program
  .command('callbacks')
  .description('payment callbacks on three nodes, in turn with the same on PostgreSQL, Restate and DBOS')
  .option('--json', 'one JSON object as the last line of stdout')
  .option('--pairs <count>', 'how often each of the two is measured', positive, 5)
  .option('--callbacks <count>', 'callbacks per measurement', positive, 20_000)
  .option('--seconds <count>', 'length of a measurement of a peer', positive, 10)
  .action(async (flags) => {
    const ok = await callbacks({ ...flags, json: flags.json === true })
    process.exitCode = ok ? 0 : 1
  })

program
  .command('sessions')
  .description('open idle sessions on three nodes: memory, what writes cost beside them, and the restart of a node')
  .option('--json', 'one JSON object as the last line of stdout')
  .option('--sessions <count>', 'sessions that are opened and left', positive, 1_000_000)
  .option('--runs <count>', 'how often writes are measured without them, and with them', positive, 3)
  .option('--seconds <count>', 'length of each measurement', positive, 5)
  .action(async (flags) => {
    const ok = await sessions({ ...flags, json: flags.json === true })
    process.exitCode = ok ? 0 : 1
  })

program
  .command('snapshot')
  .description(
    'snapshots of changed rows on three nodes under load: own work in one turn, and p99 in turn with times without',
  )
  .option('--json', 'one JSON object as the last line of stdout')
  .option('--rows <count>', 'rows that changed before each', positive, 1_000_000)
  .option('--runs <count>', 'how often each of the two is measured', positive, 3)
  .option('--seconds <count>', 'length of the time without a snapshot', positive, 10)
  .option('--rate <count>', 'writes a second, sent whether or not the ones before are answered', positive, 1000)
  .option('--cpu-prof <directory>', 'one CPU profile per node; slows the nodes down')
  .action(async (flags) => {
    const ok = await snapshot({ ...flags, json: flags.json === true, cpuProf: flags.cpuProf ?? null })
    process.exitCode = ok ? 0 : 1
  })

program
  .command('restart')
  .description('a node with many sessions and a tail of log is killed and started: until it serves, rows, replay')
  .option('--json', 'one JSON object as the last line of stdout')
  .option('--sessions <count>', 'open sessions', positive, 1_000_000)
  .option('--tail-bytes <bytes>', 'register writes behind the snapshot', positive, 67_108_864)
  .option('--callbacks <count>', 'payment callbacks behind another snapshot; 0 leaves them out', wholeNumber, 20_000)
  .option('--runs <count>', 'restarts behind either', positive, 3)
  .option('--cpu-prof <directory>', 'one CPU profile per node; slows the nodes down')
  .action(async (flags) => {
    const ok = await restart({ ...flags, json: flags.json === true, cpuProf: flags.cpuProf ?? null })
    process.exitCode = ok ? 0 : 1
  })

program
  .command('backup')
  .description('a backup of so much state from a follower: size, time, memory of node and client, equal state')
  .option('--json', 'one JSON object as the last line of stdout')
  .option('--gib <size>', 'values of the state, GiB', Number, 1)
  .action(async (flags) => {
    const ok = await backup({ gib: flags.gib, json: flags.json === true })
    process.exitCode = ok ? 0 : 1
  })

program
  .command('catch-up')
  .description(
    'a follower that lags pulls the state under load: its rate beside a copy over a socket, and the p99 of writes',
  )
  .option('--json', 'one JSON object as the last line of stdout')
  .option('--megabytes <count>', 'values of the state, MiB', positive, 1024)
  .option('--value-bytes <bytes>', 'of each of them, a row each', positive, 4096)
  .option('--runs <count>', 'how often a follower falls behind and pulls', positive, 3)
  .option('--seconds <count>', 'length of the time without a pull', positive, 10)
  .option('--rate <count>', 'writes a second, sent whether or not the ones before are answered', positive, 500)
  .option('--cpu-prof <directory>', 'one CPU profile per node; slows the nodes down')
  .action(async (flags) => {
    const ok = await catchUp({ ...flags, json: flags.json === true, cpuProf: flags.cpuProf ?? null })
    process.exitCode = ok ? 0 : 1
  })

program
  .command('growth')
  .description('register writes per second by nodes, by payload and by open sessions, as a table and as curves')
  .option('--json', 'one JSON object as the last line of stdout')
  .option('--nodes <counts>', 'processes of a cluster; none leaves them out', listOrNone, [1, 3, 5, 7])
  .option('--payload <bytes>', 'of a value; none leaves them out', listOrNone, [16, 128, 1024, 4096, 16_384, 65_536])
  .option(
    '--sessions <counts>',
    'open ones; none leaves them out',
    listOrNone,
    [10, 100, 1000, 10_000, 100_000, 1_000_000],
  )
  .option('--runs <count>', 'how often each is measured', positive, 3)
  .option('--seconds <count>', 'length of each measurement', positive, 4)
  .option('--svg <directory>', 'where the curves are written')
  .action(async (flags) => {
    const ok = await growth({ ...flags, json: flags.json === true, svg: flags.svg ?? null })
    process.exitCode = ok ? 0 : 1
  })

program
  .command('embedded')
  .description('register writes of one node in the process of its clients, in turn with those of three nodes')
  .option('--json', 'one JSON object as the last line of stdout')
  .option('--pairs <count>', 'how often each of the two is measured', positive, 5)
  .option('--seconds <count>', 'length of each measurement', positive, 5)
  .option('--in-flight <count>', 'sessions with one write in flight each', positive, 1000)
  .option('--warm <count>', 'commands beforehand on either', positive, 200_000)
  .action(async (flags) => {
    const ok = await embedded({ ...flags, json: flags.json === true })
    process.exitCode = ok ? 0 : 1
  })

program
  .command('footprint')
  .description('an idle node: memory, time from start to ready, share of a processor; bytes of a session in a snapshot')
  .option('--json', 'one JSON object as the last line of stdout')
  .option('--runs <count>', 'starts of a node', positive, 5)
  .option('--seconds <count>', 'how long idle nodes are looked at', positive, 20)
  .action(async (flags) => {
    const ok = await footprint({ ...flags, json: flags.json === true })
    process.exitCode = ok ? 0 : 1
  })

program
  .command('freeze')
  .description('how long clients go unserved when the leader of three processes is frozen (SIGSTOP)')
  .option('--json', 'one JSON object as the last line of stdout')
  .option('--trials <count>', 'how often the leader is frozen', positive, 20)
  .option('--sessions <count>', 'sessions with one write in flight each, ten to a connection', positive, 100)
  .action(async (flags) => {
    const ok = await freeze({ ...flags, json: flags.json === true })
    process.exitCode = ok ? 0 : 1
  })

program
  .command('queries')
  .description(
    'linearizable queries on three nodes, with and without leases, in turn with own writes and with reads of etcd; and after elections',
  )
  .option('--json', 'one JSON object as the last line of stdout')
  .option('--rounds <count>', 'how often each is measured; 0 leaves speed out', wholeNumber, 3)
  .option(
    '--trials <count>',
    'kills of each leader under load, with and without leases; 0 leaves them out',
    wholeNumber,
    20,
  )
  .option('--seconds <count>', 'length of each measurement', positive, 5)
  .option('--in-flight <count>', 'queries, and writes, under way at a time', positive, 1000)
  .option('--cpu-prof <directory>', 'one CPU profile per node; slows the nodes down')
  .action(async (flags) => {
    const ok = await queries({ ...flags, json: flags.json === true, cpuProf: flags.cpuProf ?? null })
    process.exitCode = ok ? 0 : 1
  })

program
  .command('failover')
  .description(
    'how long writers go unserved when the leader of three processes is killed, stopped or frozen, beside etcd',
  )
  .option('--json', 'one JSON object as the last line of stdout')
  .option('--trials <count>', 'kills; SIGTERM and SIGSTOP have a fifth of it', positive, 100)
  .option('--no-etcd', 'without etcd beside it')
  .action(async (flags) => {
    const ok = await failover({ ...flags, json: flags.json === true, etcd: flags.etcd !== false })
    process.exitCode = ok ? 0 : 1
  })

program
  .command('machine-upgrade')
  .description(
    'a rolling upgrade of a machine on three processes under load: errors, and the longest time without an answer',
  )
  .option('--json', 'one JSON object as the last line of stdout')
  .option('--rate <count>', 'commands a second, sent whether or not the ones before are answered', positive, 1000)
  .option('--sessions <count>', 'sessions that send them in turn', positive, 20)
  .action(async (flags) => {
    const ok = await machineUpgrade({ ...flags, json: flags.json === true })
    process.exitCode = ok ? 0 : 1
  })

program
  .command('xstate')
  .description('a chart of XState: memory, timers under a leader kill, events per second beside PostgreSQL')
  .option('--json', 'one JSON object as the last line of stdout')
  .option(
    '--instances <count>',
    'instances whose timers fall due at one moment; 0 leaves them out',
    wholeNumber,
    100_000,
  )
  .option('--pairs <count>', 'how often each of the two is measured; 0 leaves events out', wholeNumber, 3)
  .option('--seconds <count>', 'length of each measurement', positive, 5)
  .option('--in-flight <counts>', 'events under way at a time', listOf, [1, 16, 64, 1000])
  .option('--cpu-prof <directory>', 'one CPU profile per node; slows the nodes down')
  .action(async (flags) => {
    const ok = await xstate({ ...flags, json: flags.json === true, cpuProf: flags.cpuProf ?? null })
    process.exitCode = ok ? 0 : 1
  })

program
  .command('waits')
  .description('races of a wait against its signal on three processes: none missed, none told twice, and how fast')
  .option('--json', 'one JSON object as the last line of stdout')
  .option('--races <count>', 'waits and signals, a key for each pair', positive, 100_000)
  .option('--in-flight <count>', 'races under way at a time, each of two sessions', positive, 16)
  .action(async (flags) => {
    const ok = await waits({ ...flags, json: flags.json === true })
    process.exitCode = ok ? 0 : 1
  })

program
  .command('migration')
  .description('a new chart for running XState instances on three processes, as one entry: how long the loop is held')
  .option('--json', 'one JSON object as the last line of stdout')
  .option('--instances <count>', 'running instances, each with an armed timer', positive, 100_000)
  .action(async (flags) => {
    const ok = await migration({ ...flags, json: flags.json === true })
    process.exitCode = ok ? 0 : 1
  })

program
  .command('indexes')
  .description('look-ups in an index of many rows, and what it costs the writes of its table, on three processes')
  .option('--json', 'one JSON object as the last line of stdout')
  .option('--nodes <count>', 'processes of the cluster; 0 leaves it out', wholeNumber, 3)
  .option('--rows <count>', 'rows of the table with the index, and of the one without', positive, 1_000_000)
  .option('--rounds <count>', 'how often each write is measured on either table, in turn', positive, 5)
  .option('--seconds <count>', 'length of each measurement', positive, 4)
  .option('--in-flight <count>', 'sessions with one write in flight each', positive, 256)
  .option('--lookups-in-flight <count>', 'look-ups under way at a time', positive, 16)
  .action(async (flags) => {
    const ok = await indexes({ ...flags, json: flags.json === true })
    process.exitCode = ok ? 0 : 1
  })

program
  .command('endurance')
  .description('entries through three processes: disk and memory do not grow, and a follower that was away catches up')
  .option('--json', 'one JSON object as the last line of stdout')
  .option('--entries <count>', 'register writes to acknowledge, an entry each', positive, 10_000_000)
  .option('--in-flight <count>', 'sessions with one write in flight each', positive, 1000)
  .option(
    '--log-cap <bytes>',
    'record bytes of log between two snapshots (the limit snapshotBytes)',
    positive,
    67_108_864,
  )
  .action(async (flags) => {
    const ok = await endurance({ ...flags, json: flags.json === true })
    process.exitCode = ok ? 0 : 1
  })

program
  .command('exactly-once')
  .description(
    'sessions while nodes of three processes are killed, stopped and cut off: is anything lost or done twice',
  )
  .option('--json', 'one JSON object as the last line of stdout')
  .option('--sessions <count>', 'sessions with two commands in flight each', positive, 500)
  .option('--seconds <count>', 'how long the faults go on', positive, 180)
  .option('--seed <number>', 'of the faults and of what the sessions do', wholeNumber, 1)
  .action(async (flags) => {
    const ok = await exactlyOnce({ ...flags, json: flags.json === true })
    process.exitCode = ok ? 0 : 1
  })

faultCommands(program)

program
  .command('server-requests')
  .description(
    'server requests per second, delivered and acknowledged, of commands that emit one to each of 100 sessions',
  )
  .option('--json', 'one JSON object as the last line of stdout')
  .option('--sessions <count>', 'sessions that send the commands in turn', positive, 1000)
  .option('--in-flight <count>', 'commands under way at a time', positive, 64)
  .option('--seconds <count>', 'length of the measurement', positive, 10)
  .option('--cpu-prof <directory>', 'one CPU profile per node; slows the nodes down')
  .action(async (flags) => {
    const ok = await serverRequests({ ...flags, json: flags.json === true, cpuProf: flags.cpuProf ?? null })
    process.exitCode = ok ? 0 : 1
  })

program
  .command('expiry-storm')
  .description(
    'sessions that all expire at once on three processes: how long the loop is held, and what a client feels',
  )
  .option('--json', 'one JSON object as the last line of stdout')
  .option('--sessions <count>', 'sessions whose clients are gone', positive, 10_000)
  .action(async (flags) => {
    const ok = await expiryStorm({ ...flags, json: flags.json === true })
    process.exitCode = ok ? 0 : 1
  })

program
  .command('subscribe')
  .description('subscribers to a register of three processes that an open loop writes: does each hear every value')
  .option('--json', 'one JSON object as the last line of stdout')
  .option('--rate <count>', 'writes a second, sent whether or not the ones before are answered', positive, 5000)
  .option('--seconds <count>', 'length of the measurement', positive, 10)
  .option('--subscribers <count>', 'sessions that subscribe, each on a connection of its own', positive, 3)
  .action(async (flags) => {
    const ok = await subscribe({ ...flags, json: flags.json === true })
    process.exitCode = ok ? 0 : 1
  })

program
  .command('report')
  .description('runs the benches, stores their results and writes bench/results/report.md with the curves')
  .option('--json', 'one JSON object as the last line of stdout')
  .option('--quick', 'small settings: enough to see that everything runs')
  .option('--only <names>', `of ${REPORTED.join(', ')}; the others keep their results`, namesOf(REPORTED))
  .option('--from <directory>', 'runs nothing: the report of the results that are stored there')
  .option('--out <directory>', 'where results and report are; default bench/results')
  .action(async ({ json, quick, only, from, out }) => {
    const ok = await report({
      ...{ json: json === true, quick: quick === true },
      ...{ only: only ?? null, from: from ?? null, out: out ?? null },
    })
    process.exitCode = ok ? 0 : 1
  })

await program.parseAsync()
