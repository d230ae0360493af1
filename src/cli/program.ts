import { Command, InvalidArgumentError, Option } from 'commander'
import { addBackup, addRestore } from './backup/backup-grammar.ts'
import { addLeader } from './cluster/leader-grammar.ts'
import { compileEagerly } from './compile-eagerly.ts'
import { endpointsOf, SETTING_FLAGS_ALL, withSettings } from './config/setting-flags.ts'
import { addDeadLetters } from './dead-letters/dead-letter-grammar.ts'
import { addForget } from './subjects/forget-grammar.ts'
import { addHistory } from './history/history-grammar.ts'
import { addLimits } from './limits/limits-grammar.ts'
import { addLog } from './logs/log-grammar.ts'
import { addMachine, addReplay } from './machines/machine-grammar.ts'
import { addJoin, addMember } from './members/member-grammar.ts'
import type { ExitCode } from './terminal/exit.ts'
import { packageFacts } from './package-root.ts'
import { addRecover } from './recover/recover-grammar.ts'
import { addSession, addWatch } from './sessions/session-grammar.ts'
import { addSchedules } from './schedules/schedule-grammar.ts'
import { addSim } from './seeds/sim-grammar.ts'
import { addTrace } from './traces/trace-grammar.ts'
import { integer, positive, time, wholeNumber } from './terminal/numbers.ts'
import { print } from './terminal/output.ts'

/** Commands end with code 0 unless they set another one or throw. */
type SetExit = (code: ExitCode) => void

/** The command line's grammar. Each command's module is loaded when the command runs, so that `--version` is quick. */
export function program(setExit: SetExit): Command {
  const root = new Command('holdfast')
    .description('Session state machines on a Raft cluster: exactly-once commands, durable timers, failover.')
    .version(packageFacts().version)
    .exitOverride()
    .showHelpAfterError('Run it with --help for its options.')
  addDev(root, setExit)
  addStart(root)
  addJoin(root)
  addStatus(root, setExit)
  addPayments(root, setExit)
  addDemo(root, setExit)
  addSim(root, setExit)
  addHistory(root, setExit)
  addTrace(root, setExit)
  addMachine(root, setExit)
  addMember(root)
  addLeader(root)
  addSession(root)
  addDeadLetters(root)
  addSchedules(root)
  addForget(root, setExit)
  addLimits(root)
  addWatch(root)
  addReplay(root, setExit)
  addBackup(root)
  addRestore(root)
  addLog(root, setExit)
  addDoctor(root, setExit)
  addRecover(root)
  addConfig(root)
  addNew(root)
  addExplain(root)
  return root
}

function addDev(root: Command, setExit: SetExit): void {
  withSettings(root.command('dev'), [
    'machines',
    'listen',
    'http',
    'webhookSecret',
    'data',
    'limits',
    'insecure',
    'logLevel',
  ])
    .description('run a server for development: one embedded node, or a cluster of processes with --nodes')
    .option('--nodes <count>', 'number of processes: 1 is embedded, 3 or 5 are a cluster', clusterSize, 1)
    .option('--demo', 'play the scripted demo first')
    .option('--no-demo', 'serve at once')
    .option('--demo-only', 'play the demo in a scratch directory and exit: 0 when its assertions hold, 1 when not')
    .option('--no-restart', 'with --nodes: leave a node that ended alone')
    .option('--no-watch', 'do not start nodes again when the module of machines changes')
    .option('--reset', 'empty the data directory first, and whenever a machine has changed at an equal version')
    .option('--json', 'one JSON line per node on stdout')
    .addHelpText('after', '\nExamples:\n  holdfast dev --machines ./machines.ts\n  holdfast dev --nodes 3 --json')
    .action(async (flags) => {
      const { dev } = await import('./dev.ts')
      setExit(await dev({ ...flags, demo: flags.demo === true }))
    })
}

function addStart(root: Command): void {
  withSettings(root.command('start'), [
    'id',
    'peers',
    'data',
    'machines',
    'listen',
    'http',
    'webhookSecret',
    'limits',
    'insecure',
    'development',
    'leases',
    'traceSteps',
    'diskReserve',
    'logLevel',
  ])
    .description('run one node of a cluster: --id, --peers and --data have to be given, here or elsewhere')
    .option('--json', 'when ready, one JSON line on stdout')
    .addHelpText(
      'after',
      '\nExample:\n  holdfast start --id n1 --data data/n1 --peers n1=10.0.0.1:4600,n2=10.0.0.2:4600,n3=10.0.0.3:4600',
    )
    .action(async (flags) => {
      compileEagerly()
      const { start } = await import('./start.ts')
      await start(flags)
    })
}

function addConfig(root: Command): void {
  const config = root.command('config').description('the settings that count here: flags, environment, file, defaults')
  withSettings(config.command('show'), SETTING_FLAGS_ALL)
    .description('every setting with its value')
    .option('--origin', 'with where each value comes from')
    .option('--json', 'one JSON object on stdout')
    .addHelpText('after', '\nExample:\n  holdfast config show --origin')
    .action(async (flags) => {
      const { showConfig } = await import('./config/config-command.ts')
      await showConfig(flags)
    })
  withSettings(config.command('check'), SETTING_FLAGS_ALL)
    .description('name all mistakes of what is given at once (exit code 2), then those of the module of machines (1)')
    .option('--json', 'one JSON object on stdout')
    .addHelpText('after', '\nExample:\n  holdfast config check --config cluster/holdfast.config.yaml')
    .action(async (flags) => {
      const { checkConfig } = await import('./config/config-command.ts')
      await checkConfig(flags)
    })
}

function addNew(root: Command): void {
  const made = root.command('new').description('write the files of a project or of a machine, to be changed')
  made
    .command('project')
    .description('a machine with its test, a client, a worker, and what runs them; overwrites nothing')
    .argument('[directory]', 'an empty one, or one where only packages were installed', '.')
    .option('--holdfast <spec>', 'what package.json says of holdfast: a range, or a tarball')
    .addHelpText('after', '\nExample:\n  holdfast new project shop')
    .action(async (directory, flags) => {
      const { newProject } = await import('./scaffold/new-project.ts')
      print(newProject({ directory, ...flags }))
    })
  made
    .command('machine')
    .description('machines/NAME.ts with its test, exported by machines.ts; run it in the project')
    .argument('<name>', '1 to 32 of a-z, 0-9 and -, a letter first')
    .addHelpText('after', '\nExample:\n  holdfast new machine price-list')
    .action(async (name) => {
      const { newMachine } = await import('./scaffold/new-machine.ts')
      print(newMachine(name))
    })
}

function addStatus(root: Command, setExit: SetExit): void {
  withSettings(root.command('status'), ['endpoints'])
    .description('who leads, how far every node is, and how many more nodes may fail')
    .addOption(new Option('-o, --output <format>', 'form of the result').choices(['table', 'json']).default('table'))
    .option('--json', 'the same as --output json')
    .addHelpText('after', '\nExample:\n  holdfast status --endpoints 127.0.0.1:4600,127.0.0.1:4601,127.0.0.1:4602')
    .action(async (flags) => {
      const { status } = await import('./cluster/status.ts')
      const json = flags.json === true || flags.output === 'json'
      setExit(await status({ endpoints: await endpointsOf(flags), json }))
    })
}

function addDoctor(root: Command, setExit: SetExit): void {
  withSettings(root.command('doctor'), ['data', 'id', 'peers', 'endpoints'])
    .description('look at all that a node needs: disk, room, limits, directory, log, port, peers; changes nothing')
    .option('--json', 'one JSON object on stdout')
    .addHelpText(
      'after',
      '\nExample:\n  holdfast doctor --data data/n1 --id n1 --peers n1=10.0.0.1:4600,n2=10.0.0.2:4600,n3=10.0.0.3:4600',
    )
    .action(async (flags) => {
      const { doctor } = await import('./doctor.ts')
      setExit(await doctor(flags))
    })
}

function addPayments(root: Command, setExit: SetExit): void {
  const payments = root
    .command('payments')
    .description('payment callbacks: make a file of them, feed a file to a cluster, compare with a statement')
  payments
    .command('generate')
    .description('write M-Pesa STK-push callbacks to stdout, one JSON body per line, as the provider would send them')
    .requiredOption('--count <lines>', 'lines in all, malformed ones included', wholeNumber)
    .option('--seed <number>', 'equal seeds give equal lines', integer, 1)
    .addHelpText('after', '\nExample:\n  holdfast payments generate --count 20000 --seed 7 > callbacks.jsonl')
    .action(async (flags) => {
      const { generate } = await import('./payments/generate.ts')
      await generate(flags)
    })
  withSettings(payments.command('replay'), ['endpoints'])
    .description('create the bookings that a file of callbacks refers to, then feed it; - reads stdin')
    .argument('<file>', 'one callback body per line')
    .option('--json', 'one JSON object with the totals on stdout')
    .option('--refunds', 'say of every refund of these bookings that it was paid; without it they stay owed')
    .addHelpText('after', '\nExample:\n  holdfast payments replay callbacks.jsonl --endpoints 127.0.0.1:4600 --json')
    .action(async (file, flags) => {
      const { replay } = await import('./payments/replay.ts')
      setExit(
        await replay({
          file,
          endpoints: await endpointsOf(flags),
          json: flags.json === true,
          refunds: flags.refunds === true,
        }),
      )
    })
  addReconcile(payments, setExit)
}

function addReconcile(payments: Command, setExit: SetExit): void {
  withSettings(payments.command('reconcile'), ['endpoints'])
    .description("compare the provider's statement with the receipts and refunds of the cluster; - reads stdin")
    .argument('<statement>', 'a statement as CSV')
    .option('--columns <file>', 'a JSON file that says what the columns are called (docs/cli.md)')
    .option(
      '--since <time>',
      'only what the cluster was told of from then on, for example 2026-11-01T00:00+03:00',
      time,
    )
    .option('--until <time>', 'and before then', time)
    .option('--json', 'one JSON object on stdout')
    .addHelpText('after', '\nExample:\n  holdfast payments reconcile statement.csv --since 2026-11-01T00:00+03:00')
    .action(async (file, flags) => {
      const { reconcileStatement } = await import('./payments/reconcile.ts')
      const endpoints = await endpointsOf(flags)
      setExit(await reconcileStatement({ ...flags, file, endpoints, json: flags.json === true }))
    })
}

function addDemo(root: Command, setExit: SetExit): void {
  const demo = root.command('demo').description("play a machine's canonical flow and show what each side sees")
  const words = {
    session: 'two people and two workers: a dialogue with its stages, by the machines session, gates and reconciler',
    reconciler: 'two people and two workers: two guesses, analysed, shown at once, sent back and found right',
    concierge: 'a contractor, an administrator and two agents: who answers, before, during and after an event',
    payments: 'a client, a therapist and two workers: an appointment, paid at the second try, held, and paid twice',
  } as const
  for (const name of ['session', 'reconciler', 'payments', 'concierge'] as const) {
    demo
      .command(name)
      .description(words[name])
      .option(
        '--connect <host:port,...>',
        'play on a cluster that runs (default: on a node of its own, in a scratch directory)',
      )
      .option('--json', 'one JSON object per line on stdout, whole answers in it')
      .addHelpText('after', `\nExample:\n  holdfast demo ${name}`)
      .action(async (flags) => {
        const { demo: playDemo } = await import('./demo/demo.ts')
        setExit(await playDemo(name, { ...flags, json: flags.json === true }))
      })
  }
}

function addExplain(root: Command): void {
  root
    .command('explain')
    .description('what an error code means and what to do about it; without a code, all of them')
    .argument('[code]', 'for example NOT_LEADER')
    .addHelpText('after', '\nExample:\n  holdfast explain NOT_LEADER')
    .action(async (code: string | undefined) => {
      const { explain } = await import('./explain.ts')
      explain(code ?? null)
    })
}

function clusterSize(text: string): number {
  const value = positive(text)
  if (value > 9) throw new InvalidArgumentError('A cluster has at most 9 nodes.')
  return value
}
