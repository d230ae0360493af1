import { type Command, Option } from 'commander'
import { endpointsOf, withSettings } from '../config/setting-flags.ts'
import type { ExitCode } from '../terminal/exit.ts'
import { formOf, withListing } from '../terminal/listing.ts'

/** `holdfast machine …`; each command's module is loaded when it runs. */
export function addMachine(root: Command, setExit: (code: ExitCode) => void): void {
  const machine = root.command('machine').description('machines: what runs, what a module would change')
  withListing(withSettings(machine.command('list'), ['endpoints', 'machines']))
    .description('every machine on every node: the version that runs, those it has, what differs')
    .addHelpText(
      'after',
      '\nExamples:\n  holdfast machine list\n  holdfast machine list --machines ./machines.ts -o jsonl',
    )
    .action(async (flags) => {
      const { listMachines } = await import('./machine-list.ts')
      await listMachines(flags, formOf(flags))
    })
  withListing(withSettings(machine.command('check'), ['machines', 'endpoints']))
    .description('what a module has otherwise than the cluster; exit code 4 when a node with it would halt')
    .option('--data <directory>', 'of a stopped node: what its log and snapshot name, in the place of the cluster')
    .option('--against <module>', 'with --data: the machines that ran there, to name the place that differs')
    .addHelpText(
      'after',
      '\nExamples:\n  holdfast machine check --machines ./machines.ts\n  holdfast machine check --data ./stopped --machines ./machines.ts',
    )
    .action(async (flags) => {
      const { checkMachines } = await import('./machine-check.ts')
      setExit(await checkMachines(flags, formOf(flags)))
    })
  addSend(machine, setExit)
  addDiagram(machine)
}

function addSend(machine: Command, setExit: (code: ExitCode) => void): void {
  withListing(withSettings(machine.command('send'), ['endpoints']))
    .description('execute one command, once, in a session of its own, and print its outcome')
    .argument('<machine>')
    .argument('<command>')
    .argument('<json>', 'the input; bytes are {"$bytes":"base64"}')
    .option('--principal <kind:id>', 'who acts', 'user:cli')
    .option('--role <name...>', 'roles of the session', [])
    .option(
      '--dry-run',
      'only try it, at the leader: what it would answer, change and send; nothing is executed',
      false,
    )
    .addHelpText(
      'after',
      '\nExamples:\n  holdfast machine send counter increment \'{"name":"visits","by":1}\'' +
        '\n  holdfast machine send counter increment \'{"name":"visits","by":1}\' --dry-run',
    )
    .action(async (machineName: string, command: string, input: string, flags) => {
      const { principal, role: roles, dryRun } = flags
      const sent = { endpoints: await endpointsOf(flags), machine: machineName, command, input, principal, roles }
      const { tryCommand } = await import('./command-trial.ts')
      const { sendCommand } = await import('./machine-send.ts')
      setExit(await (dryRun ? tryCommand : sendCommand)(sent, formOf(flags)))
    })
}

function addDiagram(machine: Command): void {
  withSettings(machine.command('diagram'), ['machines'])
    .description(
      "a machine's states and the steps between them, from the graphs that its schema declares, or its chart",
    )
    .argument('<machine>')
    .addOption(
      new Option('--format <format>', 'language').choices(['mermaid', 'dot', 'svg', 'ascii']).default('mermaid'),
    )
    .option('--graph <name>', 'which of its graphs, where it declares several; of a chart, one that it invokes')
    .option('--check <file>', 'print nothing; exit code 1 when the file does not hold the diagram')
    .addHelpText(
      'after',
      '\nExamples:\n  holdfast machine diagram payments --graph payment\n  holdfast machine diagram payments --graph video --format svg > video.svg',
    )
    .action(async (name: string, flags) => {
      const { machineDiagram } = await import('../diagrams/machine-diagram.ts')
      await machineDiagram(name, flags)
    })
}

/** `holdfast replay`. */
export function addReplay(root: Command, setExit: (code: ExitCode) => void): void {
  withSettings(root.command('replay'), ['data', 'machines'])
    .description("apply a stopped node's history again with the machines of a module; the directory is only read")
    .option('--backup <file>', 'the history in a backup, in place of a directory')
    .option('--against <module>', 'the machines that ran: names the first row that differs')
    .option('--json', 'one JSON object on stdout')
    .addHelpText(
      'after',
      '\nExamples:\n  holdfast replay --data ./stopped --machines ./machines.ts --against ./machines.ts' +
        '\n  holdfast replay --backup monday.hfb --machines ./machines.ts',
    )
    .action(async (flags) => {
      const { replayMachines } = await import('./replay.ts')
      setExit(await replayMachines(flags))
    })
}
