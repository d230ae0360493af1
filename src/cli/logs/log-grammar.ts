import type { Command } from 'commander'
import { positive } from '../terminal/numbers.ts'
import { formOf, withListing } from '../terminal/listing.ts'
import type { ExitCode } from '../terminal/exit.ts'

/** `holdfast log …`: what a stopped node has written; each command's module is loaded when it runs. */
export function addLog(root: Command, setExit: (code: ExitCode) => void): void {
  const log = root.command('log').description("what a stopped node's log holds; the directory is only read")
  withListing(log.command('show'))
    .description('entries of the log, a line each')
    .argument('<directory>', 'the data directory of a stopped node')
    .option('--from <index>', 'the first entry', positive, 1)
    .option('--to <index>', 'the last one', positive, Number.MAX_SAFE_INTEGER)
    .option('--limit <count>', 'so many of them at most', positive, 1000)
    .addHelpText('after', '\nExample:\n  holdfast log show data/n1 --from 100 --limit 20')
    .action(async (directory, flags) => {
      const { show } = await import('./log-commands.ts')
      await show(directory, { ...flags, form: formOf(flags) })
    })
  log
    .command('verify')
    .description('read every entry and every row: checksums, order, chain; exit code 1 where one is damaged')
    .argument('<directory...>', 'data directories of stopped nodes')
    .option('--json', 'one JSON object on stdout')
    .addHelpText('after', '\nExample:\n  holdfast log verify data/n1')
    .action(async (directories, { json = false }) => {
      const { verify } = await import('./log-commands.ts')
      await verify(directories, json)
    })
  log
    .command('diff')
    .description('the first entry at which two logs part; exit code 4 where they do')
    .argument('<left>', 'the data directory of a stopped node')
    .argument('<right>', 'that of another one')
    .option('--json', 'one JSON object on stdout')
    .addHelpText('after', '\nExample:\n  holdfast log diff data/n1 data/n2')
    .action(async (left, right, { json = false }) => {
      const { diff } = await import('./log-commands.ts')
      setExit(await diff(left, right, json))
    })
}
