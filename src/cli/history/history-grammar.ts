import { type Command, Option } from 'commander'
import type { ExitCode } from '../terminal/exit.ts'
import { positive } from '../terminal/numbers.ts'

/** `holdfast history …`; its module is loaded when it runs. */
export function addHistory(root: Command, setExit: (code: ExitCode) => void): void {
  const history = root.command('history').description('what clients saw, in the files of Jepsen and its kin')
  history
    .command('check')
    .description('say of each file whether its history can have happened; exit code 1 when one cannot, or nobody knows')
    .argument('<files...>', 'histories in EDN (:type, :process, :f, :value), or logs of Jepsen of one register')
    .addOption(
      new Option('--model <name>', 'what the operations are about')
        .choices(['register', 'kv', 'append', 'set', 'bank'])
        .makeOptionMandatory(),
    )
    .option('--steps <count>', 'of a search for a linearization, at most; then the verdict is unknown', positive)
    .option('--json', 'one JSON object on stdout')
    .addHelpText('after', '\nExample:\n  holdfast history check history.edn --model register')
    .action(async (files: readonly string[], flags) => {
      const { checkHistories } = await import('./history-check.ts')
      setExit(checkHistories({ ...flags, files, json: flags.json === true }))
    })
}
