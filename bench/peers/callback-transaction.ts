import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Latencies } from '../latencies.ts'
import type { Postgres } from './postgres.ts'

/** What PostgreSQL did of one form of the transaction at one number of connections. */
export interface TransactionPoint {
  readonly connections: number
  readonly form: Form
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** `statements`: each waits for the one before, as a driver does it. `pipelined`: all are sent at once. */
export type Form = 'statements' | 'pipelined'

const BOOKINGS = 100_000

/**
 * The payment callback as one would write it on a database: the key that makes a repeat harmless, the payment, the
 * appointment, and a line of the audit trail. Rows as wide as those of the machine `payments`.
 */
const SCHEMA = `
CREATE TABLE answered (key text PRIMARY KEY, response text NOT NULL, at timestamptz NOT NULL DEFAULT now());
CREATE TABLE payment (booking int PRIMARY KEY, status text NOT NULL, receipt text, amount bigint NOT NULL, changed timestamptz, note text);
CREATE TABLE appointment (booking int PRIMARY KEY, status text NOT NULL, changed timestamptz, note text);
CREATE TABLE audit (seq bigserial PRIMARY KEY, booking int NOT NULL, at timestamptz NOT NULL DEFAULT now(), entry text NOT NULL);
INSERT INTO payment SELECT n, 'initiated', NULL, 1500, now(), repeat('p', 100) FROM generate_series(1, ${BOOKINGS}) n;
INSERT INTO appointment SELECT n, 'payment_pending', now(), repeat('a', 100) FROM generate_series(1, ${BOOKINGS}) n;
CREATE SEQUENCE callback;
VACUUM ANALYZE;`

const STATEMENTS = `BEGIN;
INSERT INTO answered (key, response) VALUES ('ws_CO_' || nextval('callback'), '{"ResultCode":0}');
UPDATE payment SET status = 'confirmed', receipt = 'R' || currval('callback'), changed = now() WHERE booking = :booking;
UPDATE appointment SET status = 'paid', changed = now() WHERE booking = :booking;
INSERT INTO audit (booking, entry) VALUES (:booking, repeat('e', 160));
COMMIT;`

export async function prepareCallbacks(postgres: Postgres): Promise<void> {
  for (const statement of SCHEMA.split(';')) {
    if (statement.trim() !== '') await postgres.query(statement)
  }
}

/**
 * Every connection sends its next transaction when the one before was committed; the last `seconds` are counted. pgbench counts
 * its time from before it connects, and a thousand connections take longer than a measurement: it is given more until all of
 * them have been at work for a quarter longer than is counted.
 */
export async function measureTransactions(
  postgres: Postgres,
  load: { readonly connections: number; readonly form: Form; readonly seconds: number; readonly directory: string },
): Promise<TransactionPoint> {
  const { connections, form, seconds, directory } = load
  const folder = join(directory, `pgbench-${form}-${connections}`)
  const busy = seconds * (1 + WARM_UP)
  for (let given = Math.ceil(busy) + 1; given <= busy + CONNECTED_WITHIN_S; ) {
    mkdirSync(folder)
    await runFor(postgres, given, { folder, form, connections })
    const answers = answersIn(folder)
    rmSync(folder, { recursive: true })
    const span = (answers.at(-1)?.at ?? 0) - (answers[0]?.at ?? 0)
    if (span >= busy) return { connections, form, ...lastOf(answers, seconds) }
    given += Math.ceil(busy - span) + 1
  }
  throw new Error(`${connections} connections were not made within ${CONNECTED_WITHIN_S} s`)
}

/** Share of what is counted that comes before it. */
const WARM_UP = 0.25
const CONNECTED_WITHIN_S = 90

function runFor(
  postgres: Postgres,
  seconds: number,
  { folder, form, connections }: { folder: string; form: Form; connections: number },
): Promise<string> {
  const body = form === 'pipelined' ? `\\startpipeline\n${STATEMENTS}\n\\endpipeline` : STATEMENTS
  writeFileSync(join(folder, 'callback.sql'), `\\set booking random(1, ${BOOKINGS})\n${body}\n`)
  const parameters = ['-n', '-M', 'prepared', '-f', 'callback.sql', '-c', String(connections), '-j', '2']
  return postgres.pgbench([...parameters, '-T', String(seconds), '--log', '--log-prefix=at'], folder)
}

interface Answer {
  readonly ms: number
  /** When it came, in seconds. */
  readonly at: number
}

/** From the lines that pgbench writes, one per transaction: client, number, microseconds, script, and when it ended. */
function answersIn(folder: string): Answer[] {
  const files = readdirSync(folder).filter((name) => name.startsWith('at.'))
  const answers = files.flatMap((name) =>
    readFileSync(join(folder, name), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const [, , micros = 0, , second = 0, rest = 0] = line.split(' ').map(Number)
        return { ms: micros / 1000, at: second + rest / 1e6 }
      }),
  )
  return answers.sort((one, other) => one.at - other.at)
}

function lastOf(answers: readonly Answer[], seconds: number): Pick<TransactionPoint, 'perSecond' | 'p50Ms' | 'p99Ms'> {
  const from = (answers.at(-1)?.at ?? 0) - seconds
  const latencies = new Latencies()
  for (const { ms, at } of answers) if (at >= from) latencies.record(ms)
  const perSecond = Math.round(latencies.count / seconds)
  return { perSecond, p50Ms: latencies.percentileMs(50), p99Ms: latencies.percentileMs(99) }
}
